//! Requests and answers of every protocol, from responses written by hand.
