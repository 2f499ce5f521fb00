//! Values of the Norwegian Health Network's messaging: identifiers, messages, profiles and message protection.
//!
//! Everything here is bytes or text in, values out, and back; there are no sockets, no clocks and no threads. Both sides of the
//! network use it: the simulated parties and the reference EPJ. Readers are made for hostile input: they are bounded, refuse
//! document type definitions, and never panic.
//!
//! | Module | Holds |
//! |---|---|
//! | [`queue`], [`connection_string`] | names and addresses on the bus |
//! | [`amqp`] | names of application properties and content types |
//! | [`date_time`] | times as messages and registers write them |
//! | [`message`] | header message and communication test |
//! | [`error_message`] | what goes to error queues |
//! | [`cppa`] | profiles and agreements |
//! | [`certificate`] | certificates, and chains to a trusted root |
//! | [`protection`] | messages signed and encrypted, and opened |
//! | [`revocation`] | revocation lists and OCSP answers |
//! | [`register`] | questions to the registers over SOAP, and their answers |

pub mod amqp;
mod asn1;
pub mod certificate;
pub mod connection_string;
pub mod cppa;
pub mod date_time;
pub mod error_message;
pub mod her_id;
pub mod message;
pub mod organization_number;
pub mod protection;
pub mod queue;
pub mod register;
pub mod revocation;
pub mod secret;
mod xml;

pub use her_id::HerId;
pub use organization_number::OrganizationNumber;
pub use secret::Secret;
