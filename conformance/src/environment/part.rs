//! One part of the network alone, for those who have the others elsewhere.

use mock_ar::ArConfig;
use mock_servicebus::{BusConfig, Listeners};
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown};

use super::document::Account;
use super::fixture::{HELSENORGE_PASSWORD, HELSENORGE_USER, PORTAL, SUT, SUT_PASSWORD, SUT_USER};
use super::ports::{Bound, Ports};
use super::start::{client_key, helseid_config, tls_identity};
use super::{Settings, StartError, stores};

/// Which part is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The message bus.
    Bus,
    /// The address register and CPPA.
    Ar,
    /// The certificate authority.
    Buypass,
    /// The token service.
    Helseid,
}

/// A part that is being served. The CA runs beside each, because TLS and trust come from it.
#[derive(Debug)]
pub struct Served {
    /// What a person has to know: name and value.
    pub facts: Vec<(&'static str, String)>,
    shutdown: Shutdown,
    clock: Clock,
}

impl Served {
    /// Stops it.
    pub async fn stop(self) {
        // What does not stop in time ends with the process.
        let _ = self.shutdown.stop(&self.clock, super::STOP_LIMIT).await;
    }
}

/// The ports that a part needs; the others must not be in the way of what is served beside it.
fn ports_of(part: Part, asked: Ports) -> Ports {
    let mut ports = Ports {
        ca: asked.ca,
        ..Ports::default()
    };
    match part {
        Part::Bus => (ports.amqps, ports.amqp) = (asked.amqps, asked.amqp),
        Part::Ar => ports.ar = asked.ar,
        Part::Helseid => ports.helseid = asked.helseid,
        Part::Buypass => {}
    }
    ports
}

/// Serves one part. REST of a register that is served alone lets everybody in (contract 02 decision D-6).
///
/// # Errors
/// [`StartError`] with the reason.
pub async fn serve(part: Part, settings: &Settings) -> Result<Served, StartError> {
    let bound = Bound::bind(ports_of(part, settings.ports)).await?;
    let files = stores::folder(&settings.files)?;
    let data = stores::folder(&settings.data)?;
    let clock = Clock::start();
    let (shutdown, signal) = Shutdown::new();
    let context = Context {
        journal: Journal::of_latest(clock.clone()),
        clock: clock.clone(),
        faults: FaultPlan::new(),
        seed: Seed::new(settings.seed),
        shutdown: signal,
    };
    let ca_config = mock_buypass::Config::new(data.join("ca"));
    let buypass = mock_buypass::start(ca_config, bound.ca, context.clone()).await?;
    let tls = Some(tls_identity(&buypass).await?);
    let bundle = files.join("trust.pem");
    stores::write(&bundle, buypass.trust_bundle_pem().as_bytes())?;
    let mut facts = vec![
        ("trust bundle", bundle.display().to_string()),
        ("certificate authority", buypass.base_url().to_owned()),
    ];
    let accounts = [
        (SUT_USER, SUT_PASSWORD, SUT.her_id),
        (HELSENORGE_USER, HELSENORGE_PASSWORD, PORTAL.her_id),
    ];
    match part {
        Part::Buypass => {
            let ca = buypass.base_ca();
            facts.push(("revocation list", ca.crl_url().to_owned()));
            facts.push(("OCSP", ca.ocsp_url().to_owned()));
        }
        Part::Bus => {
            let config = BusConfig {
                tls,
                ..BusConfig::default()
            };
            let listeners = Listeners {
                tls: Some(bound.amqps),
                plain: Some(bound.amqp),
            };
            let bus = mock_servicebus::start(config, listeners, context)?;
            let provisioner = bus.provisioner();
            for (user, password, her_id) in accounts {
                bus.add_account(user, password, &[her_id]);
                let names = ["async", "sync", "error", "syncreply"];
                let names = names.map(|kind| format!("{her_id}_{kind}"));
                provisioner.create_queues(her_id, &names);
                let string = super::start::connection(&bus, user, password, true);
                facts.push(("bus", string.amqps()));
            }
        }
        Part::Ar => {
            let config = ArConfig {
                tls,
                accounts: accounts
                    .iter()
                    .map(|(user, password, _)| mock_ar::Account {
                        user: (*user).to_owned(),
                        password: (*password).to_owned(),
                    })
                    .collect(),
                ..ArConfig::default()
            };
            let ar = mock_ar::start(config, bound.ar, context)?;
            let account = Account {
                url: ar.register_url(),
                username: SUT_USER.to_owned(),
                password: SUT_PASSWORD.to_owned(),
            };
            facts.push(("address register", account.url));
            facts.push((
                "account",
                format!("{} {}", account.username, account.password),
            ));
            facts.push(("CPPA SOAP", ar.cppa_soap_url()));
            facts.push(("CPPA v1", ar.cppa_v1_url()));
            facts.push(("CPPA v2", ar.cppa_v2_url()));
        }
        Part::Helseid => {
            let key = client_key(&data)?;
            let config = helseid_config(&key, tls);
            let jwk_file = files.join("helseid.jwk.json");
            stores::write(&jwk_file, key.private_jwk_json.as_bytes())?;
            let helseid = mock_helseid::start(config, bound.helseid, context)?;
            facts.push(("issuer", helseid.issuer().to_owned()));
            facts.push(("client id", super::fixture::CLIENT_ID.to_owned()));
            facts.push(("client key", jwk_file.display().to_string()));
        }
    }
    Ok(Served {
        facts,
        shutdown,
        clock,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_takes_its_own_ports_only() {
        let all = Ports::USUAL;
        let none = Ports::default();
        assert_eq!(ports_of(Part::Buypass, all), Ports { ca: all.ca, ..none });
        let register = Ports {
            ca: all.ca,
            ar: all.ar,
            ..none
        };
        assert_eq!(ports_of(Part::Ar, all), register);
    }
}
