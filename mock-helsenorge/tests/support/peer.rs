//! The scripted party: writes and reads messages with a client and with nhn-model.

use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::types::messaging::{
    ApplicationProperties, Body, Data, Header, Message, MessageId, Properties,
};
use fe2o3_amqp::types::primitives::{Binary, SimpleValue, Symbol, Value};
use fe2o3_amqp::{Connection, Receiver, Sender, Session};
use mock_helsenorge::KeyPair;
use nhn_model::certificate::Certificate;
use nhn_model::message::{
    KomtestReply, KomtestRequest, Party, write_komtest_reply, write_komtest_request,
};
use nhn_model::protection::{DecryptionIdentity, SigningIdentity, open, protect};
use time::OffsetDateTime;

use super::{Bed, LIMIT, OWN, PEER, PEER_ACCOUNT, PEER_SIGNING, Use};

const CMS: &str = "application/pkcs7-mime; smime-type=signed-and-enveloped-data";

pub(crate) struct Peer {
    session: SessionHandle<()>,
    _connection: fe2o3_amqp::connection::ConnectionHandle<()>,
    sync: Receiver,
    reply: Receiver,
    error: Receiver,
    clock: testbed::Clock,
    pub(crate) signing: KeyPair,
    encryption: KeyPair,
    to: Certificate,
}

/// A message about to be sent, open to be spoilt.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) queue: String,
    pub(crate) message_id: String,
    pub(crate) correlation_id: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) reply_to: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A message that was received.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) message: Message<Body<Value>>,
}

impl Got {
    pub(crate) fn properties(&self) -> &Properties {
        self.message.properties.as_ref().unwrap()
    }

    pub(crate) fn id(&self) -> String {
        text(self.properties().message_id.as_ref().unwrap())
    }

    pub(crate) fn correlation(&self) -> Option<String> {
        self.properties().correlation_id.as_ref().map(text)
    }

    pub(crate) fn property(&self, name: &str) -> Option<String> {
        let properties = self.message.application_properties.as_ref()?;
        match properties.0.get(name)? {
            SimpleValue::String(text) => Some(text.clone()),
            other => panic!("{name} is {other:?}"),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        match &self.message.body {
            Body::Data(parts) => parts.iter().flat_map(|part| part.0.to_vec()).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn text(id: &MessageId) -> String {
    match id {
        MessageId::String(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

impl Peer {
    pub(crate) async fn connect(bed: &Bed) -> Self {
        let opening = Connection::builder()
            .container_id("peer")
            .sasl_profile(SaslProfile::Plain {
                username: PEER_ACCOUNT.0.into(),
                password: PEER_ACCOUNT.1.into(),
            });
        let url = format!("amqp://{}", bed.bus.plain_address().unwrap());
        let mut connection = opening.open(url.as_str()).await.unwrap();
        let mut session = Session::begin(&mut connection).await.unwrap();
        let mut queues = Vec::new();
        for kind in ["sync", "syncreply", "error"] {
            let source = format!("/amq/queue/{PEER}_{kind}");
            let receiver = Receiver::attach(&mut session, kind, source).await;
            queues.push(receiver.unwrap());
        }
        let (error, reply, sync) = (
            queues.pop().unwrap(),
            queues.pop().unwrap(),
            queues.pop().unwrap(),
        );
        let recipient = bed.pki().issue(Use::HelsenorgeEncryption, 0x12, 100);
        Self {
            session,
            _connection: connection,
            sync,
            reply,
            error,
            clock: bed.context.clock.clone(),
            signing: bed.pki().issue(Use::PeerSigning, PEER_SIGNING, 100),
            encryption: bed.pki().issue(Use::PeerEncryption, 0x22, 100),
            to: Certificate::from_pem(&recipient.chain_pem).unwrap(),
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.wall()
    }

    /// A party as it stands in a message head.
    pub(crate) fn party() -> Party {
        Party {
            name: "Hjemmetjenesten Liksomvik".into(),
            her_id: PEER,
            organization_name: "LIKSOMVIK KOMMUNE".into(),
            organization_her_id: 8_900_001,
        }
    }

    pub(crate) fn other() -> Party {
        Party {
            name: "Digitale innbyggertjenester (mock)".into(),
            her_id: OWN,
            organization_name: "MOCK INNBYGGERPORTAL".into(),
            organization_her_id: 8_990_001,
        }
    }

    /// The test request in order.
    pub(crate) fn request(&self, id: &str) -> Draft {
        let content = write_komtest_request(&KomtestRequest {
            msg_id: format!("msg-{id}"),
            gen_date: self.now(),
            sender: Self::party(),
            receiver: Self::other(),
        });
        Draft {
            queue: format!("{OWN}_sync"),
            message_id: id.into(),
            correlation_id: Some(format!("corr-{id}")),
            subject: Some("DIALOG_INNBYGGER_TEST".into()),
            reply_to: Some(format!("{PEER}_syncreply")),
            content_type: Some(CMS.into()),
            properties: self.properties(),
            body: self.protected(&content),
        }
    }

    /// The reply in order to a request of helsenorge.
    pub(crate) fn answer(&self, request: &Got, id: &str) -> Draft {
        let head = nhn_model::message::read(&self.opened(request))
            .unwrap()
            .head;
        let content =
            write_komtest_reply(&KomtestReply::to(&head, format!("msg-{id}"), self.now()));
        Draft {
            queue: request.properties().reply_to.clone().unwrap(),
            message_id: id.into(),
            correlation_id: request.correlation(),
            subject: Some("DIALOG_INNBYGGER_TEST".into()),
            reply_to: None,
            content_type: Some(CMS.into()),
            properties: self.properties(),
            body: self.protected(&content),
        }
    }

    /// An error message about a message of helsenorge.
    pub(crate) fn error_about(&self, original: &str, id: &str) -> Draft {
        let mut properties = self.properties();
        for (name, value) in [
            ("originalMessageId", original),
            ("errorCondition", "transport:invalid-certificate"),
            ("errorDescription", "no"),
        ] {
            properties.push((name.into(), value.into()));
        }
        Draft {
            queue: format!("{OWN}_error"),
            message_id: id.into(),
            correlation_id: None,
            subject: Some("DIALOG_INNBYGGER_TEST".into()),
            reply_to: None,
            content_type: Some(CMS.into()),
            properties,
            body: Vec::new(),
        }
    }

    fn properties(&self) -> Vec<(String, String)> {
        let stamp = nhn_model::amqp::application_time_stamp(self.now());
        [
            ("fromHerId", PEER.to_string()),
            ("toHerId", OWN.to_string()),
            ("applicationTimeStamp", stamp),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    pub(crate) fn protected(&self, content: &[u8]) -> Vec<u8> {
        let signer = SigningIdentity::from_pem(&self.signing.chain_pem, &self.signing.key_pem);
        protect(content, &signer.unwrap(), &self.to, self.now()).unwrap()
    }

    pub(crate) fn unsigned(&self, content: &[u8]) -> Vec<u8> {
        nhn_model::protection::encrypt(content, &self.to).unwrap()
    }

    /// Opens a message of helsenorge.
    pub(crate) fn opened(&self, got: &Got) -> Vec<u8> {
        let opened = self.open(got);
        assert!(opened.signer.is_some());
        opened.content
    }

    pub(crate) fn open(&self, got: &Got) -> nhn_model::protection::Opened {
        let key = &self.encryption;
        let identity = DecryptionIdentity::from_pem(&key.chain_pem, &key.key_pem).unwrap();
        open(&got.body(), &[identity]).unwrap()
    }

    pub(crate) async fn send(&mut self, draft: Draft) {
        let target = format!("/exchange/NHNTESTServiceBus/{}", draft.queue);
        let name = format!("to-{}-{}", draft.queue, draft.message_id);
        let mut sender = Sender::attach(&mut self.session, name, target)
            .await
            .unwrap();
        let mut application = ApplicationProperties::builder();
        for (name, value) in draft.properties {
            application = application.insert(name, value);
        }
        let message = Message {
            header: Some(Header {
                ttl: Some(15_000),
                ..Header::default()
            }),
            delivery_annotations: None,
            message_annotations: None,
            properties: Some(Properties {
                message_id: Some(MessageId::String(draft.message_id)),
                to: Some(draft.queue),
                subject: draft.subject,
                reply_to: draft.reply_to,
                correlation_id: draft.correlation_id.map(MessageId::String),
                content_type: draft.content_type.map(Symbol::from),
                ..Properties::default()
            }),
            application_properties: Some(application.build()),
            body: Data(Binary::from(draft.body)),
            footer: None,
        };
        assert!(sender.send(message).await.unwrap().is_accepted());
        sender.close().await.unwrap();
    }

    pub(crate) async fn request_received(&mut self) -> Got {
        take(&mut self.sync, &self.clock).await
    }

    pub(crate) async fn reply_received(&mut self) -> Got {
        take(&mut self.reply, &self.clock).await
    }

    pub(crate) async fn error_received(&mut self) -> Got {
        take(&mut self.error, &self.clock).await
    }
}

async fn take(receiver: &mut Receiver, clock: &testbed::Clock) -> Got {
    let delivery = clock.timeout(LIMIT, receiver.recv::<Body<Value>>()).await;
    let delivery = delivery.expect("a message comes").unwrap();
    receiver.accept(&delivery).await.unwrap();
    Got {
        message: delivery.into_message(),
    }
}
