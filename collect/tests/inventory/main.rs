//! `collect inventory` as its users meet it: on recordings, whole and damaged, and on a moto server.

mod damage;
mod engine;
mod live;
mod members;
mod recorded;
mod related;
mod shapes;
mod tool;
