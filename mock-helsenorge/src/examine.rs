//! Examining a received message: what is needed for the checks is looked up, and only as far as the checks come.

use nhn_model::amqp::CPA_ID;
use nhn_model::cppa::{self, Profile};
use nhn_model::message::{Message, MessageError};
use nhn_model::protection::{Acceptance, OpenError, Opened, open_with};
use testbed::evidence::Event;

use crate::bus::message::Incoming;
use crate::directory::Counterpart;
use crate::engine::Engine;
use crate::judge::{self, Checks, Expected, Refusal, Support};

/// A message that was taken off the bus and opened, as far as that was possible.
pub(crate) struct Arrived {
    pub(crate) incoming: Incoming,
    opened: Option<Result<Opened, OpenError>>,
    pub(crate) read: Option<Result<Message, MessageError>>,
}

/// Why the checks did not come to their end.
pub(crate) enum Stop {
    /// The message is wrong. Without sender nobody can be told.
    Refused { from: Option<u32>, refusal: Refusal },
    /// helsenorge cannot judge it now.
    Fault(String),
}

/// Who has sent a message that is in order.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) from: u32,
    pub(crate) counterpart: Counterpart,
}

/// The queue that a message came to, and whether the checks for requests are made (V02-V04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Async,
    Sync,
    Reply,
}

impl Arrived {
    /// Opens and reads a message.
    pub(crate) fn open(engine: &Engine, incoming: Incoming) -> Self {
        let everything = Acceptance {
            weak_algorithms: true,
        };
        let opened = incoming
            .body
            .as_deref()
            .map(|body| open_with(body, &engine.keys().decryption, everything));
        let read = match &opened {
            Some(Ok(opened)) => Some(nhn_model::message::read(&opened.content)),
            _ => None,
        };
        Self {
            incoming,
            opened,
            read,
        }
    }

    /// `MsgInfo/MsgId`, if the payload can be read.
    pub(crate) fn msg_id(&self) -> Option<&str> {
        let read = self.read.as_ref()?.as_ref().ok()?;
        Some(read.head.msg_id.as_str())
    }

    /// Records that the message was taken off the bus.
    pub(crate) fn record(&self, engine: &Engine, exchange: Option<&str>, queue: &str) {
        let payload = match &self.opened {
            Some(Ok(opened)) => Some(engine.blob(&opened.content)),
            _ => None,
        };
        engine.record(Event::HnReceived {
            exchange: exchange.map(str::to_owned),
            queue: queue.to_owned(),
            message_id: self.incoming.message_id.clone(),
            correlation_id: self.incoming.correlation_id.clone(),
            from: self.incoming.her_id(nhn_model::amqp::FROM_HER_ID),
            subject: self.incoming.subject.clone(),
            payload,
            msg_id: self.msg_id().map(str::to_owned),
        });
    }

    /// V01-V17 and V20 of contract 03 section 1.6, for a reply without V02-V04 having to pass.
    pub(crate) async fn examine(
        &self,
        engine: &Engine,
        channel: Channel,
        checks: &mut Checks,
    ) -> Result<(Origin, &Message), Stop> {
        let from = judge::header(checks, &self.incoming)
            .map_err(|(from, refusal)| Stop::Refused { from, refusal })?;
        let refused = |refusal| Stop::Refused {
            from: Some(from),
            refusal,
        };
        judge::receiver(checks, &self.incoming, engine.party.her_id).map_err(refused)?;
        let party = engine.directory.party(from).await.map_err(Stop::Fault)?;
        let party = judge::sender(checks, from, party).map_err(refused)?;
        judge::content_type(checks, self.incoming.content_type.as_deref()).map_err(refused)?;
        let opened = match &self.opened {
            Some(opened) => opened.as_ref(),
            None => Err(&OpenError::Empty),
        };
        let signer = judge::opened(checks, opened).map_err(refused)?;

        let counterpart = self.counterpart(engine, from).await?;
        let listed = counterpart
            .as_ref()
            .and_then(|counterpart| counterpart.profile.signing_certificate());
        judge::expected_signer(checks, signer, listed.as_ref()).map_err(refused)?;
        let now = engine.clock.wall();
        judge::validity(checks, &signer.certificate, now).map_err(refused)?;
        let standing = engine
            .desk
            .standing(&signer.certificate, &signer.embedded, now)
            .await;
        judge::standing(checks, &signer.certificate, standing).map_err(refused)?;
        // The signer was listed, so there is a counterpart.
        let Some(counterpart) = counterpart else {
            return Err(Stop::Fault("the profile is gone".into()));
        };

        let read = match &self.read {
            Some(read) => read.as_ref(),
            None => return Err(Stop::Fault("an opened message was not read".into())),
        };
        let expected = Expected {
            from,
            from_parent: party.parent_her_id,
            own: engine.party.her_id,
            own_parent: engine.party.organization_her_id,
            support: support(&counterpart.profile, &self.incoming, channel),
            now,
        };
        let message = judge::content(checks, &self.incoming, read, expected).map_err(refused)?;
        let origin = Origin { from, counterpart };
        Ok((origin, message))
    }

    async fn counterpart(&self, engine: &Engine, from: u32) -> Result<Option<Counterpart>, Stop> {
        let agreement = self
            .incoming
            .property(CPA_ID)
            .and_then(|text| text.trim().parse().ok());
        engine
            .directory
            .counterpart(from, agreement)
            .await
            .map_err(Stop::Fault)
    }
}

/// What agreement or profile says of this function from the sender; nothing for a reply, where it is not asked.
fn support(profile: &Profile, incoming: &Incoming, channel: Channel) -> Option<Support> {
    let wanted = match channel {
        Channel::Async => cppa::Channel::Async,
        Channel::Sync => cppa::Channel::Sync,
        Channel::Reply => return None,
    };
    let function = incoming.subject.as_deref().unwrap_or_default();
    Some(match profile.sends(function) {
        None => Support::None,
        Some(action) if action.channel == wanted => Support::Agreed,
        Some(_) => Support::OtherChannel,
    })
}
