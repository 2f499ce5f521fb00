//! Connection strings of the bus in their two forms (contract 01 section 1.5).

use std::str::FromStr;

use crate::Secret;

/// Port of AMQP over TLS.
pub const AMQPS_PORT: u16 = 5671;
/// Port of plain AMQP.
pub const AMQP_PORT: u16 = 5672;
/// Ports of the old bus: runtime and management.
const LEGACY_PORTS: [u16; 2] = [9354, 9355];
/// Most bytes that are looked at.
const LONGEST: usize = 4096;

/// Where a bus is, and as whom to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionString {
    /// Whether TLS is spoken from the first byte.
    pub tls: bool,
    /// Host name or address, an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Account.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// Name of the exchange (NHN: namespace), case-sensitive. Empty: queue arguments are link addresses as they are.
    pub exchange: String,
}

/// Why a text is no connection string. It never shows the text, which has a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    /// Longer than anybody writes.
    #[error("the connection string is too long")]
    TooLong,
    /// Neither `amqps://`, nor `amqp://`, nor `Endpoint=`.
    #[error(
        "the connection string begins neither with amqps:// nor with amqp:// and has no Endpoint"
    )]
    Form,
    /// A part is missing.
    #[error("the connection string has no {0}")]
    Missing(&'static str),
    /// A part is there but cannot be what it is.
    #[error("the {0} in the connection string cannot be read")]
    Unreadable(&'static str),
    /// The exchange ends with `/`, at which the official client cuts the address wrongly.
    #[error("the connection string ends with /")]
    TrailingSlash,
}

use ConnectionStringError::{Form, Missing, TooLong, TrailingSlash, Unreadable};

impl ConnectionString {
    /// Reads either form.
    ///
    /// # Errors
    /// If the text is neither `amqp[s]://user:password@host[:port]/exchange` nor the old list of keys.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        if text.len() > LONGEST {
            return Err(TooLong);
        }
        let text = text.trim();
        match without_scheme(text, "amqps://") {
            Some(rest) => parse_amqp(rest, true),
            None => match without_scheme(text, "amqp://") {
                Some(rest) => parse_amqp(rest, false),
                None => parse_legacy(text),
            },
        }
    }

    /// The form of today, `amqps://user:password@host:5671/exchange`; `amqp://` without TLS.
    #[must_use]
    pub fn amqps(&self) -> String {
        let scheme = if self.tls { "amqps" } else { "amqp" };
        let mut text = format!(
            "{scheme}://{}:{}@{}:{}",
            encode(&self.username),
            encode(self.password.reveal()),
            self.bracketed_host(),
            self.port
        );
        if !self.exchange.is_empty() {
            text.push('/');
            text.push_str(&self.exchange);
        }
        text
    }

    /// The form of the old bus (official client 3.x and earlier), with its usual ports.
    ///
    /// That form cannot express port, lack of TLS, or a `;` in account or password.
    #[must_use]
    pub fn legacy(&self) -> String {
        let [runtime, management] = LEGACY_PORTS;
        let (host, exchange) = (self.bracketed_host(), &self.exchange);
        let (username, password) = (&self.username, self.password.reveal());
        format!(
            "Endpoint=sb://{host}/{exchange};StsEndpoint=https://{host}:{management}/{exchange};RuntimePort={runtime};\
             ManagementPort={management};OAuthUsername={username};OAuthPassword={password}"
        )
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }
}

impl FromStr for ConnectionString {
    type Err = ConnectionStringError;

    fn from_str(text: &str) -> Result<Self, ConnectionStringError> {
        Self::parse(text)
    }
}

fn without_scheme<'text>(text: &'text str, scheme: &str) -> Option<&'text str> {
    let start = text.get(..scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme)
        .then(|| &text[scheme.len()..])
}

fn parse_amqp(rest: &str, tls: bool) -> Result<ConnectionString, ConnectionStringError> {
    let (authority, exchange) = rest.split_once('/').unwrap_or((rest, ""));
    let (account, address) = authority.rsplit_once('@').ok_or(Missing("account"))?;
    let (username, password) = account.split_once(':').ok_or(Missing("password"))?;
    let (host, port) = host_and_port(address)?;
    let default = if tls { AMQPS_PORT } else { AMQP_PORT };
    let username = decode(username).ok_or(Unreadable("account"))?;
    if username.is_empty() {
        return Err(Missing("account"));
    }
    Ok(ConnectionString {
        tls,
        host,
        port: port.unwrap_or(default),
        username,
        password: Secret::new(decode(password).ok_or(Unreadable("password"))?),
        exchange: checked_exchange(exchange)?,
    })
}

/// `key=value` joined by `;`, keys in any case. Other keys than those needed are passed over.
fn parse_legacy(text: &str) -> Result<ConnectionString, ConnectionStringError> {
    let value = |key: &str| {
        let mut pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(key));
        found.map(|(_, value)| value.trim())
    };
    // There may be an endpoint for each node of a farm.
    let endpoint = value("Endpoint")
        .ok_or(Form)?
        .split(',')
        .next()
        .unwrap_or_default()
        .trim();
    let rest = without_scheme(endpoint, "sb://").ok_or(Unreadable("endpoint"))?;
    let (address, exchange) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, _) = host_and_port(address)?;
    let username = value("OAuthUsername").filter(|name| !name.is_empty());
    let password = value("OAuthPassword").ok_or(Missing("password"))?;
    Ok(ConnectionString {
        tls: true,
        host,
        port: AMQPS_PORT,
        username: username.ok_or(Missing("account"))?.to_owned(),
        password: Secret::new(password),
        exchange: checked_exchange(exchange)?,
    })
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), ConnectionStringError> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(Unreadable("host"))?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(Unreadable("host"));
            }
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err(Unreadable("port")),
            };
            (host, port)
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    if host.is_empty() {
        return Err(Missing("host"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.len() > 255 || !host.bytes().all(allowed) {
        return Err(Unreadable("host"));
    }
    let port = port.map(|port| port.parse().map_err(|_| Unreadable("port")));
    Ok((host.to_owned(), port.transpose()?))
}

fn checked_exchange(exchange: &str) -> Result<String, ConnectionStringError> {
    if exchange.ends_with('/') {
        return Err(TrailingSlash);
    }
    let forbidden = |character: char| {
        character.is_control() || character.is_whitespace() || "/?#;,@%".contains(character)
    };
    if exchange.len() > 255 || exchange.contains(forbidden) {
        return Err(Unreadable("exchange"));
    }
    Ok(exchange.to_owned())
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ConnectionString, ConnectionStringError> {
        ConnectionString::parse(text)
    }

    #[test]
    fn the_form_of_today() {
        let read = parse(
            "amqps://OrgUsr:%24%25-%2A-%2F%3A%21%23%2B%2C67@tb.test.nhn.no/NHNTESTServiceBus",
        )
        .unwrap();
        assert_eq!(read.password.reveal(), "$%-*-/:!#+,67");
        assert_eq!(
            (read.tls, read.host.as_str(), read.port),
            (true, "tb.test.nhn.no", 5671)
        );
        assert_eq!(read.exchange, "NHNTESTServiceBus");
        let plain = parse("amqp://guest:guest@127.0.0.1").unwrap();
        assert_eq!(
            (plain.tls, plain.port, plain.exchange.as_str()),
            (false, 5672, "")
        );
        let six = parse("AMQPS://a:b@[::1]:1234/X").unwrap();
        assert_eq!((six.host.as_str(), six.port), ("::1", 1234));
        assert_eq!(six.amqps(), "amqps://a:b@[::1]:1234/X");
    }

    #[test]
    fn the_old_form() {
        let read = parse(
            "Endpoint=sb://sb.nhn.no/NHNPRODServiceBus;StsEndpoint=https://sb.nhn.no:9355/NHNPRODServiceBus;RuntimePort=9354;\
             ManagementPort=9355;OAuthUsername=OrgUrs310900109;OAuthPassword=a=b/c",
        )
        .unwrap();
        assert_eq!(
            read.amqps(),
            "amqps://OrgUrs310900109:a%3Db%2Fc@sb.nhn.no:5671/NHNPRODServiceBus"
        );
        assert_eq!(parse(&read.legacy()), Ok(read));
        let farm = parse("oauthpassword=x;OAUTHUSERNAME=y;endpoint=sb://one/N,sb://two/N").unwrap();
        assert_eq!((farm.host.as_str(), farm.exchange.as_str()), ("one", "N"));
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(parse(""), Err(Form));
        assert_eq!(parse("https://a:b@host/X"), Err(Form));
        assert_eq!(parse("amqps://host/X"), Err(Missing("account")));
        assert_eq!(parse("amqps://a@host/X"), Err(Missing("password")));
        assert_eq!(parse("amqps://:b@host/X"), Err(Missing("account")));
        assert_eq!(parse("amqps://a:b@/X"), Err(Missing("host")));
        assert_eq!(parse("amqps://a:b@host:99999/X"), Err(Unreadable("port")));
        assert_eq!(parse("amqps://a:%4@host/X"), Err(Unreadable("password")));
        assert_eq!(parse("amqps://a:%ff@host/X"), Err(Unreadable("password")));
        assert_eq!(parse("amqps://a:b@host/X/"), Err(TrailingSlash));
        assert_eq!(parse("amqps://a:b@host/X/y"), Err(Unreadable("exchange")));
        assert_eq!(parse("amqps://a:b@[::1/X"), Err(Unreadable("host")));
        assert_eq!(
            parse("Endpoint=https://x/y;OAuthUsername=a;OAuthPassword=b"),
            Err(Unreadable("endpoint"))
        );
        assert_eq!(
            parse("Endpoint=sb://x/y;OAuthPassword=b"),
            Err(Missing("account"))
        );
        assert_eq!(parse(&"x".repeat(5000)), Err(TooLong));
    }

    #[test]
    fn errors_and_printing_do_not_show_the_password() {
        let read = parse("amqps://a:hush@host/X").unwrap();
        assert!(!format!("{read:?}").contains("hush"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            tls: bool, host in "[a-z0-9][a-z0-9.-]{0,20}", port: u16, username in "\\PC{1,20}", password in "\\PC{0,20}",
            exchange in "[A-Za-z0-9]{0,20}",
        ) {
            let written = ConnectionString { tls, host, port, username, password: Secret::new(password), exchange };
            prop_assert_eq!(parse(&written.amqps()), Ok(written));
        }

        #[test]
        fn the_old_form_too(host in "[a-z][a-z0-9.-]{0,20}", username in "[A-Za-z0-9]{1,20}", password in "[!-:<-~]{0,20}", exchange in "[A-Za-z0-9]{0,20}") {
            let written = ConnectionString { tls: true, host, port: AMQPS_PORT, username, password: Secret::new(password), exchange };
            prop_assert_eq!(parse(&written.legacy()), Ok(written));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), start in prop::sample::select(vec!["", "amqps://", "amqp://", "Endpoint=sb://"])) {
            let _ = parse(&format!("{start}{text}"));
        }
    }
}
