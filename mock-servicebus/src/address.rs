//! Link addresses of the RabbitMQ dialect, read strictly: a lenient bus would hide a client's wrong setting
//! (contract 01 section 1.9, contract 06 section 7.3). Whether the named exchange or queue exists is another matter.

use crate::refusal::Refusal;

/// Most bytes of an address; a queue name has at most 255, and each may be percent-encoded.
const LONGEST: usize = 2048;

/// Where messages on a peer's sender link go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a fixed place.
    Fixed(Route),
    /// To the exchange, with the `subject` of each message as key (`/exchange/X`).
    ExchangeBySubject(String),
    /// To the queue that the `subject` of each message names (`/queue`).
    QueueBySubject,
    /// To where the v2 address in `to` of each message says.
    Anonymous,
}

/// An exchange and a key. The key is the name of the queue that the message reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// Name of the exchange, empty for the default exchange.
    pub(crate) exchange: String,
    pub(crate) key: String,
}

/// Which grammars are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// v1 and v2 side by side, as RabbitMQ 4.0 comes.
    Both,
    /// v2 only.
    V2,
}

/// Reads the address of a sender's target.
pub(crate) fn parse_target(address: &str, grammar: Grammar) -> Result<Target, Refusal> {
    let parts = split(address, grammar)?;
    let fixed = |exchange: &str, key: String| {
        let exchange = exchange.to_owned();
        Target::Fixed(Route { exchange, key })
    };
    match parts.as_slice() {
        [queue] => Ok(fixed("", name(address, queue)?)),
        ["", "queue"] => Ok(Target::QueueBySubject),
        ["", "queue", queue] | ["", "amq", "queue", queue] => Ok(fixed("", name(address, queue)?)),
        ["", "queues", queue] => Ok(fixed("", decoded(address, queue)?)),
        ["", "exchange", exchange] => Ok(Target::ExchangeBySubject(name(address, exchange)?)),
        ["", "exchanges", exchange] => Ok(Target::ExchangeBySubject(decoded(address, exchange)?)),
        ["", "exchange", exchange, key] => {
            Ok(fixed(&name(address, exchange)?, name(address, key)?))
        }
        ["", "exchanges", exchange, key] => {
            Ok(fixed(&decoded(address, exchange)?, decoded(address, key)?))
        }
        ["", "topic", _] => Err(not_served(address)),
        _ => Err(unknown(address, parts.as_slice(), "/exchange/")),
    }
}

/// Reads the address of a receiver's source and returns the queue's name.
pub(crate) fn parse_source(address: &str, grammar: Grammar) -> Result<String, Refusal> {
    let parts = split(address, grammar)?;
    match parts.as_slice() {
        [queue] | ["", "queue", queue] | ["", "amq", "queue", queue] => name(address, queue),
        ["", "queues", queue] => decoded(address, queue),
        ["", "exchange" | "exchanges" | "topic", ..] => Err(not_served(address)),
        _ => Err(unknown(address, parts.as_slice(), "/amq/queue/")),
    }
}

/// Reads `to` of a message on an anonymous terminus, where v2 addresses only are known.
pub(crate) fn parse_to(to: &str) -> Result<Route, String> {
    match parse_target(to, Grammar::V2) {
        Ok(Target::Fixed(route)) => Ok(route),
        Ok(Target::ExchangeBySubject(_)) => Err(format!("'{}' names no routing key", shown(to))),
        Ok(Target::QueueBySubject | Target::Anonymous) | Err(_) => Err(format!(
            "'{}' is no v2 address (/exchanges/X/K or /queues/Q)",
            shown(to)
        )),
    }
}

fn split(address: &str, grammar: Grammar) -> Result<Vec<&str>, Refusal> {
    if address.is_empty() || address.len() > LONGEST || address.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!(
            "unusable address '{}'",
            shown(address)
        )));
    }
    // One part more than the longest form has, so that a hostile address cannot make many.
    let parts: Vec<&str> = address.splitn(6, '/').collect();
    let is_v2 = matches!(parts.as_slice(), ["", "exchanges" | "queues", ..]);
    if grammar == Grammar::V2 && !is_v2 {
        let what = format!(
            "Attach rejected: {{amqp_address_v1_not_permitted,{}}}",
            shown(address)
        );
        return Err(Refusal::invalid(what));
    }
    Ok(parts)
}

fn name(address: &str, part: &str) -> Result<String, Refusal> {
    match part.is_empty() || part.len() > 255 {
        true => Err(Refusal::invalid(format!(
            "bad address '{}': a name has 1 to 255 bytes",
            shown(address)
        ))),
        false => Ok(part.to_owned()),
    }
}

fn decoded(address: &str, part: &str) -> Result<String, Refusal> {
    let text = percent_decoded(part).filter(|text| !text.chars().any(char::is_control));
    let text = text.ok_or_else(|| {
        Refusal::invalid(format!(
            "bad address '{}': wrong percent-encoding",
            shown(address)
        ))
    })?;
    name(address, &text)
}

fn percent_decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn not_served(address: &str) -> Refusal {
    Refusal::not_implemented(format!(
        "the address '{}' is of a kind that this bus does not serve",
        shown(address)
    ))
}

/// A client with the setting `ServiceBus` writes `NS/Q`; the text says what this bus wants instead.
fn unknown(address: &str, parts: &[&str], form: &str) -> Refusal {
    let hint = match parts {
        [namespace, queue] if !namespace.is_empty() && !queue.is_empty() => {
            let meant = match form {
                "/exchange/" => format!("/exchange/{namespace}/{queue}"),
                form => format!("{form}{queue}"),
            };
            format!(
                "; this looks like the ServiceBus dialect, RabbitMQ wants '{}'",
                shown(&meant)
            )
        }
        _ => String::new(),
    };
    Refusal::invalid(format!("bad address '{}'{hint}", shown(address)))
}

fn shown(text: &str) -> String {
    const MOST: usize = 128;
    text.chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &str) -> Result<Target, Refusal> {
        parse_target(address, Grammar::Both)
    }

    fn fixed(exchange: &str, key: &str) -> Result<Target, Refusal> {
        Ok(Target::Fixed(Route {
            exchange: exchange.into(),
            key: key.into(),
        }))
    }

    #[test]
    fn forms_of_a_target() {
        assert_eq!(target("/exchange/NS/1_sync"), fixed("NS", "1_sync"));
        assert_eq!(target("/exchanges/N%2FS/1%5Fsync"), fixed("N/S", "1_sync"));
        assert_eq!(target("/queues/a%20b"), fixed("", "a b"));
        for address in ["1_sync", "/queue/1_sync", "/amq/queue/1_sync"] {
            assert_eq!(target(address), fixed("", "1_sync"), "{address}");
        }
        assert_eq!(target("/queue"), Ok(Target::QueueBySubject));
        assert_eq!(
            target("/exchange/NS"),
            Ok(Target::ExchangeBySubject("NS".into()))
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "",
            "/",
            "//",
            "NS/",
            "/queues/%zz",
            "/queues/%",
            "/exchange//k",
            "/exchange/NS/a/b",
            "/exchange/NS/",
            "a\nb",
            "/queues/%00",
        ] {
            let refusal = target(address).unwrap_err();
            assert_eq!(refusal.condition, "amqp:invalid-field", "{address}");
        }
        assert_eq!(
            target("/topic/k").unwrap_err().condition,
            "amqp:not-implemented"
        );
        assert_eq!(
            parse_source("/exchange/NS/k", Grammar::Both)
                .unwrap_err()
                .condition,
            "amqp:not-implemented"
        );
    }

    #[test]
    fn the_wrong_dialect_is_explained() {
        let refusal = parse_source("NS/1_sync", Grammar::Both).unwrap_err();
        assert!(
            refusal
                .description
                .contains("RabbitMQ wants '/amq/queue/1_sync'"),
            "{refusal}"
        );
        let refusal = target("NS/1_sync").unwrap_err();
        assert!(
            refusal.description.contains("'/exchange/NS/1_sync'"),
            "{refusal}"
        );
    }

    #[test]
    fn v1_can_be_switched_off() {
        for address in ["/amq/queue/1_sync", "1_sync"] {
            let refusal = parse_source(address, Grammar::V2).unwrap_err();
            assert!(
                refusal
                    .description
                    .starts_with("Attach rejected: {amqp_address_v1_not_permitted,")
            );
        }
        assert_eq!(
            parse_source("/queues/1_sync", Grammar::V2),
            Ok("1_sync".into())
        );
        assert!(parse_to("1_sync").is_err());
        assert!(parse_to("/queue/1_sync").is_err());
        assert!(parse_to("/exchanges/NS").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,80}") {
            let _ = (target(&text), parse_source(&text, Grammar::Both), parse_to(&text));
        }
    }
}
