//! Ways to tell people: a notice becomes an ask.
