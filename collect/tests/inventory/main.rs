//! `collect inventory` as its users meet it: on recordings, whole and damaged, and on a moto server.

mod live;
mod recorded;
mod tool;
