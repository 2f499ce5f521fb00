//! What comes before AMQP: protocol headers and SASL PLAIN (contract 01 section 1.7).

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use fe2o3_amqp_types::sasl::{SaslCode, SaslMechanisms, SaslOutcome};
use serde_amqp::primitives::{Array, Symbol};
use testbed::evidence::Event;
use testbed::fault::FaultAction;

use super::pipe::{Pipe, Socket, Step};
use super::{Ended, Task};
use crate::refusal::{Refusal, condition};
use crate::wire::frame::{self, AMQP_HEADER, FrameKind, SASL_HEADER};
use crate::wire::performative::composite;
use crate::wire::reader::Reader;

/// Largest SASL frame (AMQP 1.0 part 5 section 5.3.1).
const LARGEST_SASL_FRAME: usize = 512;
const PLAIN: &str = "PLAIN";

/// What a client says in `sasl-init`.
struct Init {
    mechanism: String,
    response: Vec<u8>,
}

impl Task {
    /// Brings a client to the point where its `open` may come, and returns its login name.
    pub(super) async fn handshake<S: Socket>(
        &mut self,
        pipe: &mut Pipe<S>,
    ) -> Result<String, Ended> {
        let header = self.read_header(pipe).await?;
        if header != SASL_HEADER {
            return Err(self.wrong_header(pipe, &header).await);
        }
        self.write(pipe, &SASL_HEADER).await?;
        let mechanisms = SaslMechanisms {
            sasl_server_mechanisms: Array::from(vec![Symbol::from(PLAIN)]),
        };
        self.write(pipe, &sasl(&mechanisms)).await?;
        let init = self.read_init(pipe).await?;
        let user = self.log_in(pipe, &init).await?;
        let header = self
            .read_header(pipe)
            .await
            .map_err(|ended| ended.of(&user))?;
        if header != AMQP_HEADER {
            return Err(self.wrong_header(pipe, &header).await.of(&user));
        }
        self.write(pipe, &AMQP_HEADER)
            .await
            .map_err(|ended| ended.of(&user))?;
        Ok(user)
    }

    /// RabbitMQ answers anything that is not SASL with its own header and ends the connection.
    async fn wrong_header<S: Socket>(&mut self, pipe: &mut Pipe<S>, header: &[u8; 8]) -> Ended {
        let what = match header {
            [b'A', b'M', b'Q', b'P', 0, 1, 0, 0] => {
                "the client skips SASL, which this bus requires"
            }
            [b'A', b'M', b'Q', b'P', 2, ..] => {
                "the client asks for TLS inside AMQP; this bus does TLS first, on its own port"
            }
            [b'A', b'M', b'Q', b'P', 0, 0, 9, 1] => {
                "the client speaks AMQP 0-9-1; this bus speaks AMQP 1.0"
            }
            [0x16, 3, ..] => "the client starts TLS on the port without TLS",
            _ => "the client does not speak AMQP",
        };
        // The answer is a courtesy; the connection ends either way.
        let _ = self.write(pipe, &SASL_HEADER).await;
        pipe.finish().await;
        Ended::by_mock(Refusal::new(condition::FRAMING_ERROR, what))
    }

    async fn log_in<S: Socket>(
        &mut self,
        pipe: &mut Pipe<S>,
        init: &Init,
    ) -> Result<String, Ended> {
        if init.mechanism != PLAIN {
            // RabbitMQ gives no outcome here.
            self.wait(self.shared.config.rules.login_refusal_delay)
                .await?;
            let what = format!("the mechanism '{}' was not offered", init.mechanism);
            return Err(Ended {
                is_reset: true,
                ..Ended::by_mock(Refusal::new(condition::NOT_IMPLEMENTED, what))
            });
        }
        let (user, password) = credentials(&init.response).unwrap_or_default();
        let mut code = match self.shared.broker.logs_in(&user, &password) {
            true => SaslCode::Ok,
            false => SaslCode::Auth,
        };
        if let Some(hit) = self.meet("sasl", &user) {
            match hit.action {
                FaultAction::Delay(after) => self.wait(after).await?,
                FaultAction::NoAnswer => return Err(self.nothing_more().await.of(&user)),
                FaultAction::Amqp { condition, .. } => code = refused_by(&condition),
                _ => return Err(Ended::reset().of(&user)),
            }
        } else if code != SaslCode::Ok {
            self.wait(self.shared.config.rules.login_refusal_delay)
                .await?;
        }
        self.shared.record(Event::BusAuthenticated {
            connection: self.number,
            mechanism: PLAIN.to_owned(),
            user: user.clone(),
            outcome: code.clone() as u8,
        });
        let is_in = code == SaslCode::Ok;
        let outcome = SaslOutcome {
            code,
            additional_data: None,
        };
        self.write(pipe, &sasl(&outcome))
            .await
            .map_err(|ended| ended.of(&user))?;
        match is_in {
            true => Ok(user),
            false => Err(self.refused_login(pipe).await.of(&user)),
        }
    }

    /// Leaves a client whose login was refused the time to go by itself, then resets.
    async fn refused_login<S: Socket>(&mut self, pipe: &mut Pipe<S>) -> Ended {
        let delay = self
            .shared
            .config
            .rules
            .login_refusal_delay
            .max(std::time::Duration::from_millis(100));
        let refusal = Refusal::new(condition::UNAUTHORIZED_ACCESS, "login refused");
        let clock = self.shared.clock.clone();
        let peer_goes = async {
            loop {
                pipe.input.clear();
                match pipe.step(&mut BytesMut::new(), true).await {
                    Ok(Step::Read | Step::Written) => {}
                    Ok(Step::End) | Err(_) => return,
                }
            }
        };
        let went = clock.timeout(delay, peer_goes).await.is_ok();
        Ended {
            is_reset: !went,
            ..Ended::by_mock(refusal)
        }
    }

    async fn read_init<S: Socket>(&mut self, pipe: &mut Pipe<S>) -> Result<Init, Ended> {
        loop {
            match frame::split(&mut pipe.input, LARGEST_SASL_FRAME) {
                Ok(Some(frame)) if frame.kind == FrameKind::Sasl => {
                    return init(&frame.body).ok_or_else(|| broken("sasl-init cannot be read"));
                }
                Ok(Some(_)) => return Err(broken("an AMQP frame before the end of SASL")),
                Ok(None) => self.read_more(pipe).await?,
                Err(error) => return Err(broken(&error.to_string())),
            }
        }
    }

    async fn read_header<S: Socket>(&mut self, pipe: &mut Pipe<S>) -> Result<[u8; 8], Ended> {
        loop {
            if let Some(header) = pipe.input.first_chunk::<8>().copied() {
                pipe.input.advance(8);
                return Ok(header);
            }
            self.read_more(pipe).await?;
        }
    }

    /// Waits for more bytes of a client, within the limit of a step.
    async fn read_more<S: Socket>(&mut self, pipe: &mut Pipe<S>) -> Result<(), Ended> {
        let clock = self.shared.clock.clone();
        let mut nothing = BytesMut::new();
        tokio::select! {
            () = self.shutdown.stopping() => Err(Ended::stopping()),
            () = self.mailbox.arrival() => Err(Ended::reset()),
            step = clock.timeout(self.shared.config.limits.handshake, pipe.step(&mut nothing, true)) => match step {
                Ok(Ok(Step::Read | Step::Written)) => Ok(()),
                Ok(Ok(Step::End)) => Err(Ended::transport("the client went away before open")),
                Ok(Err(error)) => Err(Ended::transport(error.to_string())),
                Err(_) => Err(broken("the client took too long before open")),
            },
        }
    }

    async fn write<S: Socket>(&mut self, pipe: &mut Pipe<S>, bytes: &[u8]) -> Result<(), Ended> {
        let limit = self.shared.config.limits.handshake;
        match self.shared.clock.timeout(limit, pipe.write(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => Err(broken("the client does not read")),
        }
    }
}

impl Ended {
    fn of(self, user: &str) -> Self {
        Self {
            user: Some(user.to_owned()),
            ..self
        }
    }
}

fn broken(what: &str) -> Ended {
    Ended::by_mock(Refusal::new(condition::FRAMING_ERROR, what))
}

fn lost(error: &io::Error) -> Ended {
    Ended::transport(error.to_string())
}

fn sasl(body: &impl serde::Serialize) -> Bytes {
    let body = serde_amqp::to_vec(body).expect("SASL frames of our own making have an encoding");
    frame::encode_sasl(&body)
}

fn init(body: &Bytes) -> Option<Init> {
    let (0x41, mut fields) = composite(Reader::new(body).value().ok()?).ok()? else {
        return None;
    };
    let mechanism = fields.symbol("mechanism").ok()??.to_owned();
    let response = fields
        .binary("initial-response")
        .ok()?
        .unwrap_or_default()
        .to_vec();
    Some(Init {
        mechanism,
        response,
    })
}

/// User and password of an initial response: authorization identity, user and password, each after a zero byte but the first.
fn credentials(response: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(response).ok()?;
    let mut parts = text.splitn(3, '\0');
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    Some((user.to_owned(), password.to_owned()))
}

fn refused_by(condition: &str) -> SaslCode {
    match condition {
        "amqp:sasl:sys" => SaslCode::Sys,
        "amqp:sasl:sys-perm" => SaslCode::SysPerm,
        "amqp:sasl:sys-temp" => SaslCode::SysTemp,
        _ => SaslCode::Auth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_credentials() {
        let of = |response: &[u8]| credentials(response);
        assert_eq!(
            of(b"\0user\0pa\0ss"),
            Some(("user".into(), "pa\0ss".into()))
        );
        assert_eq!(of(b"authz\0user\0pw"), Some(("user".into(), "pw".into())));
        assert_eq!(of(b"user"), None);
        assert_eq!(of(b"\0\xff\0pw"), None);
    }
}
