//! The seeded faults: what this EPJ can be told to do wrong (contract 03 section 7.11).
//!
//! A fault is one behaviour and nothing else. Scenarios name the faults that must turn them red; that is how the
//! examiner is examined. The sentences complete "the EPJ ..." in Norwegian and English.

use std::collections::BTreeSet;

/// One behaviour that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The EPJ ignores validity periods, both in the other party's certificates and in its own before it signs.
    AcceptsExpired,
    /// The EPJ trusts a signature made with any embedded certificate, without looking whether CPA, CPP or AR lists it.
    AcceptsUnlistedSigner,
    /// The EPJ uses decrypted content that nobody has signed.
    AcceptsUnsigned,
    /// The EPJ handles error messages like ordinary ones and answers the sender with another error message.
    AnswersErrorsWithErrors,
    /// The EPJ waits up to 15 seconds for every OCSP and CRL answer.
    CrlTimeout15s,
    /// The EPJ waits up to 30 seconds for every OCSP and CRL answer.
    CrlTimeout30s,
    /// The EPJ cuts the download off when its one second is over, and keeps nothing.
    DropsLateCrl,
    /// The EPJ never tries again after a lost connection, a detached link or a register look-up that failed at start.
    IgnoresReconnect,
    /// The EPJ declares a call that has timed out a success when its reply comes too late.
    LateReplyAsSuccess,
    /// The EPJ leaves messages unsettled that it cannot connect with anything it sent.
    LeavesOrphans,
    /// The EPJ never settles a message with the bus.
    NeverSettles,
    /// The EPJ looks everything up in AR and CPPA again for each message.
    NoArCache,
    /// The EPJ keeps neither CRLs nor OCSP answers and fetches the status anew each time.
    NoCrlCache,
    /// The EPJ does not listen on its error queue.
    NoErrorListener,
    /// The EPJ never sends an error message, and silently removes what it cannot use.
    NoErrorReports,
    /// The EPJ never asks whether a certificate has been revoked.
    NoRevocationCheck,
    /// The EPJ waits for ever for the reply to a synchronous call.
    NoSyncTimeout,
    /// The EPJ answers to the asker's `<herId>_syncreply` although the request names another reply queue.
    RepliesToWrongQueue,
    /// The EPJ waits 6 seconds for an address that never answers, each time it signs.
    RootListStall,
    /// The EPJ writes GenDate behind MsgId in MsgInfo.
    SendsInvalidXml,
    /// The EPJ takes a certificate for good when its status cannot be determined.
    SoftFailRevocation,
    /// The EPJ never compares fromHerId, toHerId and subject with what the message itself says.
    TrustsEnvelope,
    /// The EPJ answers with a new correlation-id instead of the request's.
    WrongCorrelation,
}

impl Fault {
    /// Every fault, in alphabetical order of the names.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(fault, ..)| *fault)
    }

    /// The name on the command line and in `killed-by`: kebab-case, stable for ever.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What the EPJ does, in Norwegian bokmål; completes "EPJ-en ...".
    #[must_use]
    pub fn norwegian(self) -> &'static str {
        self.row().2
    }

    /// What the EPJ does, in English; completes "the EPJ ...".
    #[must_use]
    pub fn english(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static Row {
        TABLE
            .iter()
            .find(|(fault, ..)| *fault == self)
            .expect("a test proves that the table holds every fault")
    }
}

/// The faults that are switched on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(BTreeSet<Fault>);

impl Faults {
    /// Whether the fault is switched on.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// All that are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Fault> {
        self.0.iter().copied()
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

type Row = (Fault, &'static str, &'static str, &'static str);

const TABLE: [Row; 23] = [
    (
        Fault::AcceptsExpired,
        "accepts-expired",
        "ser ikke på gyldighetstid, verken i motpartens sertifikater eller i sitt eget før det signerer",
        "ignores validity periods, both in the other party's certificates and in its own before it signs",
    ),
    (
        Fault::AcceptsUnlistedSigner,
        "accepts-unlisted-signer",
        "godtar signaturen fra et hvilket som helst vedlagt sertifikat uten å se etter om CPA, CPP eller AR nevner det",
        "trusts a signature made with any embedded certificate, without looking whether CPA, CPP or AR lists it",
    ),
    (
        Fault::AcceptsUnsigned,
        "accepts-unsigned",
        "bruker dekryptert innhold som ikke er signert",
        "uses decrypted content that nobody has signed",
    ),
    (
        Fault::AnswersErrorsWithErrors,
        "answers-errors-with-errors",
        "behandler feilmeldinger som vanlige meldinger og svarer avsenderen med en ny feilmelding",
        "handles error messages like ordinary ones and answers the sender with another error message",
    ),
    (
        Fault::CrlTimeout15s,
        "crl-timeout-15s",
        "venter inntil 15 sekunder på hvert svar fra OCSP og CRL",
        "waits up to 15 seconds for every OCSP and CRL answer",
    ),
    (
        Fault::CrlTimeout30s,
        "crl-timeout-30s",
        "venter inntil 30 sekunder på hvert svar fra OCSP og CRL",
        "waits up to 30 seconds for every OCSP and CRL answer",
    ),
    (
        Fault::DropsLateCrl,
        "drops-late-crl",
        "avbryter nedlastingen når ventetiden på ett sekund er ute, og beholder ingenting",
        "cuts the download off when its one second is over, and keeps nothing",
    ),
    (
        Fault::IgnoresReconnect,
        "ignores-reconnect",
        "prøver aldri på nytt etter brutt forbindelse, frakoblet lenke eller mislykket registeroppslag ved oppstart",
        "never tries again after a lost connection, a detached link or a register look-up that failed at start",
    ),
    (
        Fault::LateReplyAsSuccess,
        "late-reply-as-success",
        "gjør et kall som har gått ut på tid til en suksess når svaret kommer for sent",
        "declares a call that has timed out a success when its reply comes too late",
    ),
    (
        Fault::LeavesOrphans,
        "leaves-orphans",
        "lar det den ikke kan knytte til noe, bli liggende ubekreftet",
        "leaves messages unsettled that it cannot connect with anything it sent",
    ),
    (
        Fault::NeverSettles,
        "never-settles",
        "bekrefter aldri en melding overfor meldingstjenesten",
        "never settles a message with the bus",
    ),
    (
        Fault::NoArCache,
        "no-ar-cache",
        "slår opp i AR og CPPA på nytt for hver melding",
        "looks everything up in AR and CPPA again for each message",
    ),
    (
        Fault::NoCrlCache,
        "no-crl-cache",
        "tar verken vare på CRL-er eller OCSP-svar og henter status på nytt hver gang",
        "keeps neither CRLs nor OCSP answers and fetches the status anew each time",
    ),
    (
        Fault::NoErrorListener,
        "no-error-listener",
        "lytter ikke på feilkøen sin",
        "does not listen on its error queue",
    ),
    (
        Fault::NoErrorReports,
        "no-error-reports",
        "sender aldri feilmelding, men fjerner i stillhet det den ikke kan bruke",
        "never sends an error message, and silently removes what it cannot use",
    ),
    (
        Fault::NoRevocationCheck,
        "no-revocation-check",
        "spør aldri om et sertifikat er tilbakekalt",
        "never asks whether a certificate has been revoked",
    ),
    (
        Fault::NoSyncTimeout,
        "no-sync-timeout",
        "venter i det uendelige på svar på et synkront kall",
        "waits for ever for the reply to a synchronous call",
    ),
    (
        Fault::RepliesToWrongQueue,
        "replies-to-wrong-queue",
        "svarer til spørrerens `<herId>_syncreply` selv om forespørselen nevner en annen svarkø",
        "answers to the asker's `<herId>_syncreply` although the request names another reply queue",
    ),
    (
        Fault::RootListStall,
        "root-list-stall",
        "venter 6 sekunder på en adresse som aldri svarer, hver gang den signerer",
        "waits 6 seconds for an address that never answers, each time it signs",
    ),
    (
        Fault::SendsInvalidXml,
        "sends-invalid-xml",
        "skriver GenDate etter MsgId i MsgInfo",
        "writes GenDate behind MsgId in MsgInfo",
    ),
    (
        Fault::SoftFailRevocation,
        "soft-fail-revocation",
        "regner et sertifikat som gyldig når statusen ikke kan fastslås",
        "takes a certificate for good when its status cannot be determined",
    ),
    (
        Fault::TrustsEnvelope,
        "trusts-envelope",
        "sammenlikner aldri fromHerId, toHerId og subject med innholdet i meldingen",
        "never compares fromHerId, toHerId and subject with what the message itself says",
    ),
    (
        Fault::WrongCorrelation,
        "wrong-correlation",
        "svarer med en ny correlation-id i stedet for forespørselens",
        "answers with a new correlation-id instead of the request's",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_in_order() {
        // The last variant's number counts the variants.
        assert_eq!(Fault::WrongCorrelation as usize + 1, TABLE.len());
        assert!(Fault::all().is_sorted());
        let names: Vec<_> = Fault::all().map(Fault::name).collect();
        assert!(names.is_sorted());
        for fault in Fault::all() {
            assert!(
                fault
                    .name()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
            assert!(!fault.norwegian().ends_with('.') && !fault.english().ends_with('.'));
        }
    }
}
