//! Receivers: one link per queue, attached again after every loss, messages handled side by side.

use std::future::Future;
use std::time::Duration;

use fe2o3_amqp::Receiver;
use fe2o3_amqp::link::RecvError;
use fe2o3_amqp::link::delivery::DeliveryInfo;
use fe2o3_amqp::link::receiver::CreditMode;
use fe2o3_amqp::types::messaging::{Body, Modified};
use fe2o3_amqp::types::primitives::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::{ANSWER_LIMIT, Bus, Incoming, stopped};
use crate::{clock, log};

/// Credit of each link, as the official client has it (contract 01 section 3.1).
const CREDIT: u32 = 25;
/// Largest message, the bus's own limit (contract 01 section 10).
const LARGEST: u64 = 20 * 1024 * 1024;
/// Pause before a link that was lost is attached again.
const PAUSE: Duration = Duration::from_secs(2);
/// How long work in hand may go on after the order to stop.
const LAST_WORK: Duration = Duration::from_secs(1);
/// Longest that a farewell may take.
const FAREWELL: Duration = Duration::from_millis(300);

/// What the bus is told about a message that it delivered (contract 01 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Done with; the bus removes it.
    Accept,
    /// Could not be handled now; the bus delivers it again and counts the attempts.
    GiveBack,
    /// Nothing at all.
    Leave,
}

/// A queue that is listened to.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) queue: String,
    /// Whether a lost link is attached again.
    pub(crate) reconnect: bool,
    /// Whether the bus is told anything.
    pub(crate) settles: bool,
}

type Order = (DeliveryInfo, Settlement, oneshot::Sender<()>);

/// A message that has come, and the right to settle it.
pub(crate) struct Arrival {
    pub(crate) incoming: Incoming,
    info: DeliveryInfo,
    orders: mpsc::Sender<Order>,
}

impl Arrival {
    /// Settles the message and waits until the bus has been told.
    pub(crate) async fn settle(self, settlement: Settlement) {
        let (told, done) = oneshot::channel();
        // Without the link there is nothing to settle: the bus has taken the message back.
        if self
            .orders
            .send((self.info, settlement, told))
            .await
            .is_ok()
        {
            let _ = done.await;
        }
    }
}

/// Listens until `stop`, or until the first loss if the subscription says so.
pub(crate) async fn listen<H, W>(
    bus: Bus,
    subscription: Subscription,
    mut stop: watch::Receiver<bool>,
    handle: H,
) where
    H: Fn(Arrival) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    loop {
        let queue = &subscription.queue;
        match serve(&bus, &subscription, &mut stop, &handle).await {
            Ok(()) => return,
            Err(reason) => log::warning(format_args!("the receiver on {queue} is lost: {reason}")),
        }
        if !subscription.reconnect {
            return;
        }
        tokio::select! {
            () = clock::sleep(PAUSE) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

async fn serve<H, W>(
    bus: &Bus,
    subscription: &Subscription,
    stop: &mut watch::Receiver<bool>,
    handle: &H,
) -> Result<(), String>
where
    H: Fn(Arrival) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let mut session = tokio::select! {
        session = bus.session() => session.map_err(|error| error.to_string())?,
        () = stopped(stop) => return Ok(()),
    };
    let queue = &subscription.queue;
    let attaching = Receiver::builder()
        .name(format!("receiver-{queue}-{}", crate::ids::fresh()))
        .source(format!("/amq/queue/{queue}"))
        .max_message_size(LARGEST)
        .credit_mode(CreditMode::Auto(CREDIT))
        .attach(&mut session);
    let mut receiver = clock::within(ANSWER_LIMIT, attaching)
        .await
        .ok_or("no answer to the attach")?
        .map_err(|error| error.to_string())?;
    log::info(format_args!("listening on {queue}"));
    let (orders, mut settlements) = mpsc::channel::<Order>(CREDIT as usize);
    let mut work = JoinSet::new();
    loop {
        tokio::select! {
            got = receiver.recv::<Body<Value>>() => {
                let (info, message) = match got {
                    Ok(delivery) => delivery.into_parts(),
                    Err(RecvError::MessageDecode(problem)) => {
                        // It will be no more readable the next time, and must not cost the link again and again.
                        log::warning(format_args!("a message on {queue} cannot be decoded: {}", problem.source));
                        if subscription.settles {
                            receiver.accept(problem.info).await.map_err(|error| error.to_string())?;
                        }
                        continue;
                    }
                    Err(error) => return Err(error.to_string()),
                };
                let arrival = Arrival { incoming: Incoming::read(message), info, orders: orders.clone() };
                work.spawn(handle(arrival));
            }
            Some(order) = settlements.recv() => settle(&receiver, subscription.settles, order).await?,
            Some(_) = work.join_next(), if !work.is_empty() => {}
            () = stopped(stop) => break,
        }
    }
    drop(orders);
    let finishing = async {
        while let Some(order) = settlements.recv().await {
            settle(&receiver, subscription.settles, order).await?;
        }
        Ok::<(), String>(())
    };
    // What is not finished now is delivered again.
    let _ = clock::within(LAST_WORK, finishing).await;
    let _ = clock::within(FAREWELL, receiver.close()).await;
    Ok(())
}

async fn settle(
    receiver: &Receiver,
    settles: bool,
    (info, settlement, told): Order,
) -> Result<(), String> {
    let outcome = match settlement {
        _ if !settles => Ok(()),
        Settlement::Accept => receiver.accept(info).await,
        Settlement::GiveBack => {
            let failed = Modified {
                delivery_failed: Some(true),
                undeliverable_here: None,
                message_annotations: None,
            };
            receiver.modify(info, failed).await
        }
        Settlement::Leave => Ok(()),
    };
    // The handler may have been ended by the order to stop.
    let _ = told.send(());
    outcome.map_err(|error| error.to_string())
}
