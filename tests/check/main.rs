//! The judge is judged: known verdicts, and every order there is.

mod brute;
mod command;
mod known;
mod random;
mod sets;
mod small;
