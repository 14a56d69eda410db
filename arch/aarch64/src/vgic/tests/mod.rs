//! Tests of the virtual GIC against a model of the hardware's virtual CPU interface ([`fake`]).

mod contention;
mod fake;
mod gich;
mod machine;
mod passed;
mod pokes;
mod reference;
mod registers;
mod registers_v2;
mod routing;
mod routing_v2;
mod scenarios;
mod threads;
mod timer;
mod world;
