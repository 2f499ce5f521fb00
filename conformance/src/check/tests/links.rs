//! Links: attached after the start, on the right queues, and back after an outage.

use testbed::evidence::{Event, LinkRole, Part};

use super::*;
use crate::scenario::Act;

const OWN: [&str; 3] = ["8900011_async", "8900011_sync", "8900011_error"];

fn com_18(queues: &[&str]) -> ScenarioResult {
    run("COM-18", |tape| {
        tape.step("restart", |tape| {
            tape.start_sut();
            tape.attach(7, 1, queues[0]);
        });
        tape.step("links", |tape| {
            for (queue, link) in queues.iter().skip(1).zip(2..) {
                tape.pass(300).attach(7, link, queue);
            }
        });
    })
}

#[test]
fn all_queues_are_read() {
    passes(&com_18(&OWN));
    passes(&com_18(&["8900011_syncreply_h1", OWN[0], OWN[1], OWN[2]]));
    let result = com_18(&OWN[..2]);
    fails(&result, "receivers-attached", "not-attached");
    assert!(
        check(&result, "receivers-attached")
            .observed
            .en
            .contains("8900011_error")
    );
}

#[test]
fn a_queue_of_another_party_is_not_read() {
    fails(
        &com_18(&[OWN[0], OWN[1], OWN[2], "8900099_async"]),
        "no-foreign-queue",
        "foreign-queue",
    );
    fails(
        &com_18(&[OWN[0], OWN[1], OWN[2], "89000119_async"]),
        "no-foreign-queue",
        "foreign-queue",
    );
    let mut tape = tape("COM-18", |tape| {
        tape.step("restart", |tape| {
            tape.start_sut();
            for (queue, link) in OWN.iter().zip(1..) {
                tape.attach(7, link, queue);
            }
        });
        tape.step("links", |_| {});
        tape.record(
            Part::Bus,
            Event::BusRefused {
                connection: 7,
                session: 0,
                name: "x".into(),
                role: LinkRole::Receiver,
                address: Some("/queue/109989_async".into()),
                user: crate::check::tape::SUT.into(),
                condition: "amqp:unauthorized-access".into(),
                description: String::new(),
            },
        );
    });
    let result = judged("COM-18", &tape);
    passes(&result);
    assert_eq!(check(&result, "no-foreign-queue").recorded.len(), 1);
    tape.entries
        .retain(|entry| !matches!(entry.event, Event::BusAttached { .. }));
    revocation::renumber(&mut tape);
    assert_eq!(judged("COM-18", &tape).verdict, Verdict::Inconclusive);
}

#[test]
fn receivers_that_are_gone_again_do_not_count() {
    let result = run("COM-18", |tape| {
        tape.step("restart", |tape| {
            tape.start_sut();
            tape.attach(6, 1, OWN[0])
                .attach(6, 2, OWN[2])
                .close(6)
                .attach(7, 3, OWN[1]);
        });
        tape.step("links", |_| {});
    });
    fails(&result, "receivers-attached", "not-attached");
}

fn bus_01(cut: bool, back: &[&str], after_ms: u64) -> ScenarioResult {
    run("BUS-01", |tape| {
        for (queue, link) in OWN.iter().zip(1..) {
            tape.attach(7, link, queue);
        }
        tape.attach(7, 9, "8900011_syncreply_h1");
        tape.step("outage", |tape| {
            tape.installed(Act::OUTAGE);
            if cut {
                tape.close(7);
            }
            tape.pass(30_000).removed(Act::OUTAGE);
        });
        tape.step("back", |tape| {
            tape.pass(after_ms);
            for (queue, link) in back.iter().zip(1..) {
                tape.attach(8, link, queue);
            }
        });
    })
}

#[test]
fn every_receiver_comes_back() {
    passes(&bus_01(true, &OWN, 3000));
    passes(&bus_01(true, &OWN, 60_000));
    fails(&bus_01(true, &OWN, 60_001), "links-back", "links-missing");
    let result = bus_01(true, &OWN[..2], 3000);
    fails(&result, "links-back", "links-missing");
    assert!(
        check(&result, "links-back")
            .observed
            .en
            .contains("8900011_error")
    );
    finds(
        &bus_01(false, &[], 0),
        "links-back",
        Verdict::Inconclusive,
        "outage-not-effective",
    );
}

#[test]
fn an_outage_that_nobody_recorded_proves_nothing() {
    let result = run("BUS-01", |tape| {
        tape.step("outage", |_| {}).step("back", |_| {});
    });
    finds(
        &result,
        "links-back",
        Verdict::Inconclusive,
        "outage-not-seen",
    );
}
