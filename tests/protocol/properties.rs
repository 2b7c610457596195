//! Any interleaving of messages, deaths, pauses, cuts and revivals ends, after quiet, with one leader and equal stores;
//! and what is gone was reported lost.
