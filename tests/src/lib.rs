//! End to end: the laboratory that starts real parts (namespaces, snmpd, Mosquitto, router
//! simulators), the demo, and the stories told with them.

pub mod demo;
pub mod lab;
pub mod process;
