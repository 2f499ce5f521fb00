//! Acts, faults and waits of a scenario as sentences, in both languages.

use std::time::Duration;

use crate::Text;
use crate::scenario::{Act, After, CommunicationTest, Given, RequestVariant, SignerChoice};

fn text(nb: impl Into<String>, en: impl Into<String>) -> Text {
    Text::new(nb, en)
}

/// A length of time as scenario files write it.
#[must_use]
pub fn length(length: Duration) -> String {
    format!("{} s", length.as_secs_f64())
}

/// What a fault makes of the network.
#[must_use]
pub fn given(given: &Given) -> Text {
    match given {
        Given::DelayStatus { delay } => text(
            format!(
                "Svar fra CRL, OCSP og LDAP kommer {} for sent.",
                length(*delay)
            ),
            format!(
                "Answers of CRL, OCSP and LDAP come {} late.",
                length(*delay)
            ),
        ),
        Given::RefuseStatus => text(
            "CRL, OCSP og LDAP tar ikke imot forbindelser.",
            "CRL, OCSP and LDAP refuse connections.",
        ),
        Given::RevokeSigner => text(
            "helsenorges signeringssertifikat er tilbakekalt.",
            "helsenorge's signing certificate is revoked.",
        ),
        Given::NoReply => text(
            "helsenorge tar imot forespørsler og svarer aldri.",
            "helsenorge takes requests and never replies.",
        ),
        Given::HoldReply { ttl } => text(
            format!(
                "helsenorge holder svaret på den første forespørselen tilbake; når det sendes, lever det i {}.",
                length(*ttl)
            ),
            format!(
                "helsenorge holds back the reply to the first request; once sent, it lives for {}.",
                length(*ttl)
            ),
        ),
    }
}

/// What is waited for before a step.
#[must_use]
pub fn after(after: &After) -> Text {
    match after {
        After::NoOpenDownload => text(
            "når ingen nedlasting av statuslister pågår lenger",
            "once no download of a status list is open any more",
        ),
        After::Pause(pause) => text(
            format!("{} etter steget før", length(*pause)),
            format!("{} after the step before", length(*pause)),
        ),
    }
}

/// What is done in a step.
#[must_use]
pub fn act(act: &Act) -> Text {
    match act {
        Act::CommunicationTest(test) => communication_test(*test),
        Act::ReleaseReply => text(
            "helsenorge sender svaret som ble holdt tilbake.",
            "helsenorge sends the reply that was held back.",
        ),
        Act::Bait { lasting, at_most } => text(
            format!(
                "helsenorge sender en feilmelding om en melding som aldri fantes, og en ny for hver feilmelding som kommer tilbake (høyst {at_most}, i {}).",
                length(*lasting)
            ),
            format!(
                "helsenorge sends an error message about a message that never was, and one more for each error message that comes back (at most {at_most}, for {}).",
                length(*lasting)
            ),
        ),
        Act::RunKomtest { deadline } => text(
            format!(
                "Driveren blir bedt om å starte en kommunikasjonstest (høyst {}).",
                length(*deadline)
            ),
            format!(
                "The driver is asked to start a communication test (at most {}).",
                length(*deadline)
            ),
        ),
        Act::Status { of, .. } => text(
            format!("Driveren blir spurt om tilstanden til forespørselen fra steget «{of}»."),
            format!("The driver is asked for the state of the request of step `{of}`."),
        ),
        Act::Restart => text(
            "Systemet stoppes og startes.",
            "The system is stopped and started.",
        ),
        Act::BusOutage { lasting } => text(
            format!("Meldingsbussen er borte i {}.", length(*lasting)),
            format!("The message bus is away for {}.", length(*lasting)),
        ),
        Act::RegisterDown => text(
            "Adresseregisteret og CPPA tar ikke imot forbindelser.",
            "The address register and CPPA refuse connections.",
        ),
        Act::RegisterUp => text(
            "Adresseregisteret og CPPA er tilbake.",
            "The address register and CPPA are back.",
        ),
        Act::RefuseStatus => text(
            "CRL, OCSP og LDAP slutter å ta imot forbindelser.",
            "CRL, OCSP and LDAP begin to refuse connections.",
        ),
        Act::RestoreStatus => text(
            "CRL, OCSP og LDAP er tilbake.",
            "CRL, OCSP and LDAP are back.",
        ),
        Act::AwaitLinks { at_most } => text(
            format!(
                "Prøvenett venter på mottakere på de tre køene (høyst {}).",
                length(*at_most)
            ),
            format!(
                "Prøvenett waits for receivers on the three queues (at most {}).",
                length(*at_most)
            ),
        ),
        Act::Observe { lasting } => text(
            format!("Ingenting gjøres; Prøvenett ser på i {}.", length(*lasting)),
            format!(
                "Nothing is done; Prøvenett watches for {}.",
                length(*lasting)
            ),
        ),
    }
}

fn communication_test(test: CommunicationTest) -> Text {
    let (variant_nb, variant_en) = match test.variant {
        RequestVariant::Valid => ("", ""),
        RequestVariant::Unsigned => (", kryptert, men ikke signert", ", encrypted but not signed"),
        RequestVariant::NotWellFormed => (" med XML som bryter av", " with XML that breaks off"),
        RequestVariant::SenderMismatch => (
            " der MsgHead nevner en annen avsender enn fromHerId",
            " whose MsgHead names another sender than fromHerId",
        ),
    };
    let (signer_nb, signer_en) = match test.signer {
        SignerChoice::Listed => ("", ""),
        SignerChoice::Expired => (
            ", signert med et utløpt sertifikat",
            ", signed with an expired certificate",
        ),
        SignerChoice::Unlisted => (
            ", signert med et sertifikat som verken CPA eller AR oppgir",
            ", signed with a certificate that neither CPA nor AR gives",
        ),
    };
    let limit = length(test.deadline);
    if test.count == 1 {
        return text(
            format!(
                "helsenorge sender en kommunikasjonstest{variant_nb}{signer_nb} (ventes på i høyst {limit})."
            ),
            format!(
                "helsenorge sends a communication test{variant_en}{signer_en} (waited for at most {limit})."
            ),
        );
    }
    let (count, interval) = (test.count, length(test.interval));
    text(
        format!(
            "helsenorge sender {count} kommunikasjonstester{variant_nb}{signer_nb}, med {interval} mellom (ventes på i høyst {limit})."
        ),
        format!(
            "helsenorge sends {count} communication tests{variant_en}{signer_en}, {interval} apart (waited for at most {limit})."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Catalogue;

    #[test]
    fn every_step_of_the_catalogue_is_told_in_both_languages() {
        let catalogue = Catalogue::embedded().unwrap();
        for scenario in &catalogue.scenarios {
            let variants = scenario.variants.iter().flat_map(|variant| &variant.given);
            let told = scenario
                .steps
                .iter()
                .map(|step| act(&step.act))
                .chain(scenario.given.iter().chain(variants).map(given));
            for text in told {
                assert!(text.nb.ends_with('.') && text.en.ends_with('.'), "{text}");
                assert_ne!(text.nb, text.en);
            }
        }
    }

    #[test]
    fn lengths_are_exact() {
        assert_eq!(length(Duration::from_secs(10)), "10 s");
        assert_eq!(length(Duration::from_millis(1500)), "1.5 s");
    }
}
