//! Receiving: a task for each queue that keeps a receiver attached and hands out what comes.

use std::sync::Arc;

use fe2o3_amqp::Receiver;
use fe2o3_amqp::link::RecvError;
use fe2o3_amqp::link::delivery::Delivery;
use fe2o3_amqp::link::receiver::CreditMode;
use fe2o3_amqp::types::messaging::Body;
use fe2o3_amqp::types::primitives::Value;
use testbed::ShutdownSignal;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::message::{Incoming, incoming};
use super::{Bus, Line};

/// Messages that one queue has under way at once; the rest waits on the bus.
const CREDIT: u32 = 100;

/// What becomes of a message that was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// Done with.
    Accept,
    /// Given back: helsenorge could not judge it (contract 03 section 1.9).
    Release,
}

/// Reads a queue until the shutdown. Each message is handled in a task of its own; `missing` tells why there is no
/// receiver; nothing while there is one.
pub(crate) async fn read_queue<H, F>(
    bus: Bus,
    queue: String,
    missing: watch::Sender<Option<String>>,
    handle: H,
    mut shutdown: ShutdownSignal,
) where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Settlement> + Send + 'static,
{
    let handle = Arc::new(handle);
    let mut failures = 0;
    while !shutdown.is_stopping() {
        let attached = tokio::select! {
            biased;
            () = shutdown.stopping() => break,
            attached = attach(&bus, &queue) => attached,
        };
        match attached {
            Ok((line, receiver)) => {
                failures = 0;
                missing.send_replace(None);
                let reason = receive(receiver, &handle, &mut shutdown).await;
                missing.send_replace(Some(reason));
                line.close(&bus.clock).await;
            }
            Err(reason) => {
                missing.send_replace(Some(reason));
            }
        }
        let wait = super::backoff(failures);
        failures += 1;
        tokio::select! {
            biased;
            () = shutdown.stopping() => break,
            () = bus.clock.sleep(wait) => {}
        }
    }
}

async fn attach(bus: &Bus, queue: &str) -> Result<(Line, Receiver), String> {
    let mut line = bus.connect().await?;
    let attaching = Receiver::builder()
        .name(format!("{}-{queue}", bus.container))
        .source(format!("/amq/queue/{queue}"))
        .credit_mode(CreditMode::Auto(CREDIT))
        .attach(&mut line.session);
    let attached = bus.clock.timeout(super::CONNECT_LIMIT, attaching).await;
    match attached {
        Ok(Ok(receiver)) => Ok((line, receiver)),
        Ok(Err(refusal)) => Err(refusal.to_string()),
        Err(late) => Err(late.to_string()),
    }
}

/// Hands out messages until the link ends; the answer says why it did.
async fn receive<H, F>(
    mut receiver: Receiver,
    handle: &Arc<H>,
    shutdown: &mut ShutdownSignal,
) -> String
where
    H: Fn(Incoming) -> F + Send + Sync + 'static,
    F: Future<Output = Settlement> + Send + 'static,
{
    let disposer = receiver.disposer();
    let mut handling = JoinSet::new();
    let reason = loop {
        let delivery: Result<Delivery<Body<Value>>, RecvError> = tokio::select! {
            biased;
            () = shutdown.stopping() => break "helsenorge is stopping".to_owned(),
            Some(_) = handling.join_next() => continue,
            delivery = receiver.recv() => delivery,
        };
        let (info, message) = match delivery {
            Ok(delivery) => delivery.into_parts(),
            Err(RecvError::MessageDecode(problem)) => {
                // It will be no more readable the next time.
                if let Err(lost) = disposer.accept(problem.info).await {
                    break lost.to_string();
                }
                continue;
            }
            Err(ended) => break ended.to_string(),
        };
        let disposer = disposer.clone();
        let handle = Arc::clone(handle);
        handling.spawn(async move {
            let settled = match handle(incoming(message)).await {
                Settlement::Accept => disposer.accept(info).await,
                Settlement::Release => disposer.release(info).await,
            };
            // With the link gone the bus hands the message out again.
            let _ = settled;
        });
    };
    // What is under way ends with its link: the bus has its messages back.
    handling.shutdown().await;
    reason
}
