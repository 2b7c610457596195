//! The judge is judged: known verdicts, and every order there is.

mod brute;
mod clients;
mod command;
mod generate;
mod known;
mod large;
mod lasting;
mod page;
mod random;
mod sets;
mod small;
