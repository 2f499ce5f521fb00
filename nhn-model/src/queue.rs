//! Names of queues, and the addresses under which the register lists them (contract 01 sections 1.1 and 1.3).

use std::fmt;

use crate::HerId;

/// Most bytes of a queue name: RabbitMQ's limit for a short string.
const LONGEST_NAME: usize = 255;
/// Most bytes of an address that is looked at.
const LONGEST_ADDRESS: usize = 2048;

/// What a queue is for. The dead letter queue is the broker's own and not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueKind {
    /// Business messages and application receipts.
    Async,
    /// Requests that expect a reply within seconds.
    Sync,
    /// Reports of transport errors.
    Error,
    /// Replies to synchronous requests; there may be one per machine.
    SyncReply,
}

impl QueueKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Async, Self::Sync, Self::Error, Self::SyncReply];

    /// The word in a queue name, behind the HER-id.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Error => "error",
            Self::SyncReply => "syncreply",
        }
    }

    /// The code of the register's electronic addresses (`E_SB_ASYNC` and so on).
    #[must_use]
    pub const fn address_code(self) -> &'static str {
        match self {
            Self::Async => "E_SB_ASYNC",
            Self::Sync => "E_SB_SYNC",
            Self::Error => "E_SB_ERROR",
            Self::SyncReply => "E_SB_SYNCREPLY",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind with this code of the register.
    #[must_use]
    pub fn from_address_code(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.address_code() == code)
    }
}

impl fmt::Display for QueueKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The name of a party's queue, `8900011_async`.
#[must_use]
pub fn queue_name(her_id: u32, kind: QueueKind) -> String {
    format!("{her_id}_{kind}")
}

/// The name of the reply queue of one instance of a party, `8900011_syncreply_a` (contract 03 section 1.3).
#[must_use]
pub fn reply_queue_name(her_id: u32, instance: &str) -> String {
    format!("{}_{instance}", queue_name(her_id, QueueKind::SyncReply))
}

/// Takes a queue name apart: owner, kind, and what follows the kind behind another underscore.
///
/// None for a name that is not made this way; such a queue may well exist, as an operator can choose any name.
#[must_use]
pub fn parse_queue_name(name: &str) -> Option<(u32, QueueKind, Option<&str>)> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let (owner, rest) = name.split_once('_')?;
    let (kind, suffix) = match rest.split_once('_') {
        Some((kind, suffix)) => (kind, Some(suffix)),
        None => (rest, None),
    };
    let her_id: HerId = owner.parse().ok()?;
    // `007_async` or ` 7_async` is another queue than `7_async`.
    if her_id.to_string() != owner || suffix.is_some_and(str::is_empty) {
        return None;
    }
    Some((her_id.get(), QueueKind::from_name(kind)?, suffix))
}

/// Why an address names no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no address, or nothing behind its last `/`. The official client raises
    /// `QueueAddressNullOrEmptyStringException`.
    #[error("the address names no queue")]
    Empty,
    /// Longer than a queue name can be.
    #[error("the address is too long")]
    TooLong,
    /// Control characters or white space in the name.
    #[error("the name of the queue has a character that no queue name has")]
    Character,
}

/// The queue that an address of the register names.
///
/// Only what follows the last `/` counts, as in the official client: `tb.test.nhn.no/NHNTESTServiceBus/8141703_async`
/// and `amqps://host/exchange/8900011_sync` name `8141703_async` and `8900011_sync` (contract 01 section 1.3).
///
/// # Errors
/// If nothing usable follows the last `/`.
pub fn queue_of_address(address: &str) -> Result<String, AddressError> {
    if address.len() > LONGEST_ADDRESS {
        return Err(AddressError::TooLong);
    }
    let address = address.trim();
    let name = address.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Err(AddressError::Empty);
    }
    if name.len() > LONGEST_NAME {
        return Err(AddressError::TooLong);
    }
    if name
        .chars()
        .any(|character| character.is_control() || character.is_whitespace())
    {
        return Err(AddressError::Character);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        assert_eq!(
            queue_name(8_900_011, QueueKind::SyncReply),
            "8900011_syncreply"
        );
        assert_eq!(reply_queue_name(109_989, "a"), "109989_syncreply_a");
        assert_eq!(
            parse_queue_name("109989_sync"),
            Some((109_989, QueueKind::Sync, None))
        );
        assert_eq!(
            parse_queue_name("109989_syncreply_host_1"),
            Some((109_989, QueueKind::SyncReply, Some("host_1")))
        );
        for name in [
            "", "_", "7", "7_", "7_dl", "7_async_", "07_async", " 7_async", "0_async", "7_Async",
            "x_async", "-7_async",
        ] {
            assert_eq!(parse_queue_name(name), None, "{name}");
        }
    }

    #[test]
    fn codes() {
        for kind in QueueKind::ALL {
            assert_eq!(
                QueueKind::from_address_code(kind.address_code()),
                Some(kind)
            );
        }
        assert_eq!(QueueKind::from_address_code("E_DS"), None);
    }

    #[test]
    fn addresses() {
        let queue = |address: &str| queue_of_address(address);
        assert_eq!(
            queue("tb.test.nhn.no/NHNTESTServiceBus/8141703_async").as_deref(),
            Ok("8141703_async")
        );
        assert_eq!(
            queue("amqps://host/exchange/8900011_sync").as_deref(),
            Ok("8900011_sync")
        );
        assert_eq!(queue("8900011_sync").as_deref(), Ok("8900011_sync"));
        assert_eq!(queue(""), Err(AddressError::Empty));
        assert_eq!(queue("host/exchange/"), Err(AddressError::Empty));
        assert_eq!(queue("host/a b"), Err(AddressError::Character));
        assert_eq!(queue(&"a".repeat(300)), Err(AddressError::TooLong));
        assert_eq!(queue(&"a/".repeat(3000)), Err(AddressError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(her_id in 1..=2_147_483_647_u32, kind in prop::sample::select(&QueueKind::ALL[..]), host in "[a-z.:/]{0,30}") {
            let name = queue_name(her_id, kind);
            prop_assert_eq!(parse_queue_name(&name), Some((her_id, kind, None)));
            prop_assert_eq!(queue_of_address(&format!("{host}/{name}")), Ok(name));
        }

        #[test]
        fn an_instance_is_the_suffix(her_id in 1..=2_147_483_647_u32, instance in "[a-zA-Z0-9_-]{1,20}") {
            let name = reply_queue_name(her_id, &instance);
            prop_assert_eq!(parse_queue_name(&name), Some((her_id, QueueKind::SyncReply, Some(instance.as_str()))));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse_queue_name(&text);
            let _ = queue_of_address(&text);
        }
    }
}
