//! How the register makes queues on the bus: at NHN a party's registration creates its queues and its
//! deactivation removes them (contract 02 section 3.5). The mocks know this trait and not each other.

use std::fmt::Debug;

/// What the bus offers to the register.
pub trait QueueProvisioner: Debug + Send + Sync {
    /// Creates the named queues (`<herId>_<kind>`) and the owner's dead-letter queue, where they do not exist.
    fn create_queues(&self, her_id: u32, names: &[String]);

    /// Removes every queue of the party; unread messages are lost and links are detached with
    /// `amqp:resource-deleted`.
    fn remove_queues(&self, her_id: u32);
}
