//! The processes of contract 02 section 11.1, Test 1.2 (section 11.3, offered by default although its version is known from a seed only),
//! and Ekontakt 1.1, whose messages are taken to be those of 1.2.

use uuid::uuid;

use super::Channel::{Async, Sync};
use super::{Message, Process};

const FHIR: &str = "package_FHIR_stu3";
const APPREC_10: &str = "package_apprec_v1.0";
const APPREC_11: &str = "package_apprec_v1.1";
const DIA_10: &str = "package_dia_v1.0";
const DIA_10_ICAL: &str = "package_dia_v1.0_ical";
const DIA_11: &str = "package_dia_v1.1";
const DIA_11_ICAL: &str = "package_dia_v1.1_ical";
const DIA_11_ICAL_HP: &str = "package_dia_v1.1_ical_hp";
const DIA_11_ICAL_HP_PAS: &str = "package_dia_v1.1_ical_hp_pas";
const DIA_11_ICAL_PAS: &str = "package_dia_v1.1_ical_pas";
const DIA_11_M1: &str = "package_dia_v1.1_m1";
const DIA_11_MAP: &str = "package_dia_v1.1_map";
const DIA_11_MAP_FHIR_RCP: &str = "package_dia_v1.1_map_FHIR_rcp";
const DIA_11_PAS: &str = "package_dia_v1.1_pas";
const DIA_11_PER: &str = "package_dia_v1.1_per";
const TJOVERSIKT: &str = "package_tjoversikt";

/// A process with its two roles; of each message the action, the sender's and the receiver's binding, package and channel.
macro_rules! processes {
    ($(process $name:literal $version:literal $uuid:literal service $service:literal at $href:literal
        $($role:literal sends { $($action:literal $sender:literal => $receiver:literal $package:ident $channel:ident;)* })*
    )*) => {
        &[$(Process {
            name: $name,
            version: $version,
            uuid: uuid!($uuid),
            service: $service,
            href: concat!("http://www.ehelse.no/processes/", $href, ".xml"),
            roles: [$($role),*],
            sends: [$(&[$(Message {
                action: $action,
                bindings: [$sender, $receiver],
                package: $package,
                channel: $channel,
            }),*]),*],
        }),*]
    };
}

/// Every process that the register offers.
pub(crate) static PROCESSES: &[Process] = processes! {
    process "Dialog_Innbygger_Digitalbruker" "1.1" "2075c7e3-a2e1-40f7-9cc1-52e2aadf4e93" service "DigitalBruker" at "Dialog_Innbygger_Digitalbruker"
        "Helsepersonell" sends {
            "SjekkStatus" "DigitalBruker_hp_1" => "DigitalBruker_innb_4" DIA_11_PER Async;
            "Apprec" "DigitalBruker_hp_2" => "DigitalBruker_innb_5" APPREC_11 Async;
        }
        "Innbygger" sends {
            "StatusEndring" "DigitalBruker_innb_1" => "DigitalBruker_hp_3" DIA_11 Async;
            "StatusSvar" "DigitalBruker_innb_2" => "DigitalBruker_hp_4" DIA_11_PER Async;
            "Apprec" "DigitalBruker_innb_3" => "DigitalBruker_hp_5" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Ekonsultasjon" "1.2" "fb6a0156-7eea-4ae3-aed3-c3a15d916a1c" service "Konsultasjon" at "Dialog_Innbygger_Ekonsultasjon"
        "Helsepersonell" sends {
            "Foresporsel" "Konsultasjon_1.2_hpp_1" => "Konsultasjon_1.2_innb_4" DIA_11 Async;
            "Svar" "Konsultasjon_1.2_hpp_2" => "Konsultasjon_1.2_innb_5" DIA_11 Async;
            "Apprec" "Konsultasjon_1.2_hpp_3" => "Konsultasjon_1.2_innb_6" APPREC_11 Async;
        }
        "Innbygger" sends {
            "Foresporsel" "Konsultasjon_1.2_innb_1" => "Konsultasjon_1.2_hpp_4" DIA_11_PAS Async;
            "Svar" "Konsultasjon_1.2_innb_2" => "Konsultasjon_1.2_hpp_5" DIA_11_PAS Async;
            "Apprec" "Konsultasjon_1.2_innb_3" => "Konsultasjon_1.2_hpp_6" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Ekontakt" "1.1" "819b8f8f-54c0-4a67-929d-9efd0fa32eea" service "Kontakt" at "Dialog_Innbygger_Ekontakt"
        "Helsepersonell" sends {
            "Foresporsel" "Kontakt_1.1_hp_1" => "Kontakt_1.1_innb_4" DIA_11 Async;
            "Svar" "Kontakt_1.1_hp_2" => "Kontakt_1.1_innb_5" DIA_11 Async;
            "Apprec" "Kontakt_1.1_hp_3" => "Kontakt_1.1_innb_6" APPREC_11 Async;
        }
        "Innbygger" sends {
            "Foresporsel" "Kontakt_1.1_innb_1" => "Kontakt_1.1_hp_4" DIA_11_PAS Async;
            "Svar" "Kontakt_1.1_innb_2" => "Kontakt_1.1_hp_5" DIA_11_PAS Async;
            "Apprec" "Kontakt_1.1_innb_3" => "Kontakt_1.1_hp_6" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Ekontakt" "1.2" "819b8f8f-54c0-4a67-929d-9efd0fa32eea" service "Kontakt" at "Dialog_Innbygger_Ekontakt"
        "Helsepersonell" sends {
            "Foresporsel" "Kontakt_1.2_hp_1" => "Kontakt_1.2_innb_4" DIA_11 Async;
            "Svar" "Kontakt_1.2_hp_2" => "Kontakt_1.2_innb_5" DIA_11 Async;
            "Apprec" "Kontakt_1.2_hp_3" => "Kontakt_1.2_innb_6" APPREC_11 Async;
        }
        "Innbygger" sends {
            "Foresporsel" "Kontakt_1.2_innb_1" => "Kontakt_1.2_hp_4" DIA_11_PAS Async;
            "Svar" "Kontakt_1.2_innb_2" => "Kontakt_1.2_hp_5" DIA_11_PAS Async;
            "Apprec" "Kontakt_1.2_innb_3" => "Kontakt_1.2_hp_6" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Finn_Dokumenter" "1.0" "2266d2e2-54b2-4989-91fb-a322a4237e87" service "FinnDokumenter" at "Dialog_Innbygger_Finn_Dokumenter"
        "HelseVest" sends {
            "Dokumentliste" "FinnDokumenter_hp_1" => "FinnDokumenter_innb_2" DIA_10 Async;
        }
        "Innbygger" sends {
            "Finn" "FinnDokumenter_innb_1" => "FinnDokumenter_hp_2" DIA_10 Async;
        }

    process "Dialog_Innbygger_Helseregister" "1.1" "dfbb4f61-8b08-477b-b495-a0e2fa1d5ba9" service "DialogKjernejournal" at "Dialog_Innbygger_Helseregister"
        "Saksbehandler" sends {
            "Apprec" "DialogKjernejournal_hr_1" => "Dialog_Innbygger_Helseregister_Mottak_Asynk11" APPREC_11 Async;
        }
        "Innbygger" sends {
            "MeldeFeil" "Dialog_Innbygger_Helseregister_Sending_Asynk11" => "DialogKjernejournal_hr_2" DIA_11 Async;
        }

    process "Dialog_Innbygger_Hent_Dokumenter" "1.0" "077d2487-d4dc-465e-8aca-c561e001939e" service "HentDokumenter" at "Dialog_Innbygger_Hent_Dokumenter"
        "HelseVest" sends {
            "Dokumenter" "HentDokumenter_hp_1" => "HentDokumenter_innb_2" DIA_10 Async;
        }
        "Innbygger" sends {
            "Hent" "HentDokumenter_innb_1" => "HentDokumenter_hp_2" DIA_10 Async;
        }

    process "Dialog_Innbygger_HL7_Dokumentnotifikasjon" "1.0" "9e6265f8-9dcc-46cd-b6c7-4e55bcc63be9" service "HL7_Dokumentnotifikasjon" at "Dialog_Innbygger_HL7_Dokumentnotifikasjon"
        "Helsepersonell" sends {
            "Notifiser" "HL7_Dokumentnotifikasjon_hp_1" => "Dialog_Innbygger_HL7_Dokumentnotifikasjon_Mottak_Asynk11" DIA_10 Async;
        }
        "Innbygger" sends {}

    process "Dialog_Innbygger_Koordinator" "1.0" "09f91d2e-2515-4381-85d7-51d51c2fed9a" service "DialogKoordinator" at "Dialog_Innbygger_Koordinator"
        "Helsepersonell" sends {
            "SvarHenvendelse" "DialogKoordinator_hp_1" => "DialogKoordinator_innb_3" DIA_10 Async;
            "Apprec" "DialogKoordinator_hp_2" => "DialogKoordinator_innb_4" APPREC_10 Async;
        }
        "Innbygger" sends {
            "Henvendelse" "DialogKoordinator_innb_1" => "DialogKoordinator_hp_3" DIA_10 Async;
            "Apprec" "DialogKoordinator_innb_2" => "DialogKoordinator_hp_4" APPREC_10 Async;
        }

    process "Dialog_Innbygger_Oppgave" "1.1" "8219068f-ac9d-46ff-88e0-115add617025" service "SkjemaUtfylling" at "Dialog_Innbygger_Oppgave"
        "Skjemautfyller" sends {
            "LagreSkjemainstans" "SkjemaUtfylling_sk_1" => "SkjemaUtfylling_innb_4" DIA_11_MAP_FHIR_RCP Sync;
            "HentSkjemainstans" "SkjemaUtfylling_sk_2" => "SkjemaUtfylling_innb_5" DIA_11_MAP Sync;
            "FerdigstillSkjemainstans" "SkjemaUtfylling_sk_3" => "SkjemaUtfylling_innb_6" DIA_11_MAP_FHIR_RCP Async;
            "Apprec" "SkjemaUtfylling_sk_4" => "SkjemaUtfylling_innb_7" APPREC_11 Async;
        }
        "Innbygger" sends {
            "SvarLagreSkjemainstans" "SkjemaUtfylling_innb_1" => "SkjemaUtfylling_sk_5" DIA_11_MAP Sync;
            "SvarHentSkjemainstans" "SkjemaUtfylling_innb_2" => "SkjemaUtfylling_sk_6" DIA_11_MAP_FHIR_RCP Sync;
            "Apprec" "SkjemaUtfylling_innb_3" => "SkjemaUtfylling_sk_7" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Reseptfornyelse" "1.2" "7ec87f84-1c8b-46ca-9112-11c74b6cb522" service "ReseptFornyelse" at "Dialog_Innbygger_Reseptfornyelse"
        "Helsepersonell" sends {
            "Svar" "ReseptFornyelse_1.2_hp_1" => "ReseptFornyelse_1.2_innb_3" DIA_11_M1 Async;
            "Apprec" "ReseptFornyelse_1.2_hp_2" => "ReseptFornyelse_1.2_innb_4" APPREC_11 Async;
        }
        "Innbygger" sends {
            "Foresporsel" "ReseptFornyelse_1.2_innb_1" => "ReseptFornyelse_1.2_hp_3" DIA_11_PAS Async;
            "Svar" "ReseptFornyelse_1.2_innb_2" => "ReseptFornyelse_1.2_hp_4" DIA_11_M1 Async;
        }

    process "Dialog_Innbygger_Test" "1.1" "a28bcd40-cca5-48f0-92cd-c95ea6a70ede" service "KomTest" at "Dialog_Innbygger_Test"
        "Helsepersonell" sends {
            "Foresporsel" "KomTest_hp_1" => "KomTest_innb_3" DIA_11 Sync;
            "Svar" "KomTest_hp_2" => "KomTest_innb_4" DIA_11 Sync;
        }
        "Innbygger" sends {
            "Foresporsel" "KomTest_innb_1" => "KomTest_hp_3" DIA_11 Sync;
            "Svar" "KomTest_innb_2" => "KomTest_hp_4" DIA_11 Sync;
        }

    process "Dialog_Innbygger_Test" "1.2" "a28bcd40-cca5-48f0-92cd-c95ea6a70ede" service "KomTest" at "Dialog_Innbygger_Test"
        "Helsepersonell" sends {
            "Foresporsel" "KomTest_hp_1" => "KomTest_innb_3" DIA_11 Sync;
            "Svar" "KomTest_hp_2" => "KomTest_innb_4" DIA_11 Sync;
        }
        "Innbygger" sends {
            "Foresporsel" "KomTest_innb_1" => "KomTest_hp_3" DIA_11 Sync;
            "Svar" "KomTest_innb_2" => "KomTest_hp_4" DIA_11 Sync;
        }

    process "Dialog_Innbygger_Timeonske" "1.2" "19d6208c-a348-44ee-9a08-270d083c1186" service "Timeonske" at "Dialog_Innbygger_Timeonske"
        "Helsepersonell" sends {
            "SvarOnske" "Timeonske_1.2_hpp_1" => "Timeonske_1.2_innb_5" DIA_11_ICAL Async;
            "Apprec" "Timeonske_1.2_hpp_2" => "Timeonske_1.2_innb_6" APPREC_11 Async;
        }
        "Innbygger" sends {
            "OnskeReserver" "Timeonske_1.2_innb_1" => "Timeonske_1.2_hpp_3" DIA_11_ICAL_PAS Async;
            "OnskeEndring" "Timeonske_1.2_innb_2" => "Timeonske_1.2_hpp_4" DIA_11_ICAL_PAS Async;
            "OnskeAvbestill" "Timeonske_1.2_innb_3" => "Timeonske_1.2_hpp_5" DIA_11_ICAL_PAS Async;
            "Apprec" "Timeonske_1.2_innb_4" => "Timeonske_1.2_hpp_6" APPREC_11 Async;
        }

    process "Dialog_Innbygger_Timer" "1.1" "00d94da5-d03f-447a-941a-af2cb1b98ece" service "DialogTime" at "Dialog_Innbygger_Timer"
        "Helsepersonell" sends {
            "SvarHenvendelse" "DialogTime_HP_1" => "DialogTime_Innb_6" DIA_10_ICAL Async;
            "SvarEndring" "DialogTime_HP_2" => "DialogTime_Innb_7" DIA_10_ICAL Async;
            "SvarAvslutte" "DialogTime_HP_3" => "DialogTime_Innb_8" DIA_10_ICAL Async;
            "Apprec" "DialogTime_HP_4" => "DialogTime_Innb_9" APPREC_10 Async;
        }
        "Innbygger" sends {
            "BekreftTime" "DialogTime_Innb_1" => "DialogTime_HP_5" DIA_10_ICAL Async;
            "Henvendelse" "DialogTime_Innb_2" => "DialogTime_HP_6" DIA_10_ICAL Async;
            "EndreTime" "DialogTime_Innb_3" => "DialogTime_HP_7" DIA_10_ICAL Async;
            "AvslutteTime" "DialogTime_Innb_4" => "DialogTime_HP_8" DIA_10_ICAL Async;
            "Apprec" "DialogTime_Innb_5" => "DialogTime_HP_9" APPREC_10 Async;
        }

    process "Dialog_Innbygger_Timereservasjon" "1.2" "7b68b3c8-adcf-495d-98e1-f2bb1151516e" service "Timereservasjon" at "Dialog_Innbygger_Timereservasjon"
        "Helsepersonell" sends {
            "SvarLedigeTimer" "Dialog_Innbygger_Timereservasjon_SvarLedig" => "Dialog_Innbygger_TimeLedig_Svar" DIA_11_ICAL_HP Sync;
            "SvarAvtaleReservasjon" "Dialog_Innbygger_Timereservasjon_SvarReservasjon" => "Dialog_Innbygger_Timereservasjon_Svar" DIA_11_ICAL_HP_PAS Async;
            "Apprec" "Dialog_Innbygger_Timereservasjon_Apprec" => "Dialog_Innbygger_Timereservasjon_Mottak_Apprec" APPREC_11 Async;
        }
        "Innbygger" sends {
            "HentLedigeTimer" "Dialog_Innbygger_Timereservasjon_Hent" => "Dialog_Innbygger_Timereservasjon_HentLedig" DIA_11 Sync;
            "ReserverAvtale" "Dialog_Innbygger_Timereservasjon_Reserver" => "Dialog_Innbygger_Timereservasjon_ReserverTime" DIA_11_ICAL_PAS Async;
            "AvbestillAvtale" "Dialog_Innbygger_Timereservasjon_Avbestill" => "Dialog_Innbygger_Timereservasjon_AvbestillTime" DIA_11_ICAL_PAS Async;
            "Apprec" "Dialog_Innbygger_Timereservasjon_Sending_Apprec" => "Dialog_Innbygger_Timereservasjon_Mottak_Apprec_HP" APPREC_11 Async;
        }

    process "Dialog_Innbygger_TjenesteOversikt" "1.0" "d5953faa-6a33-4941-9ecf-cff8987f51e8" service "Tjenesteoversikt" at "Dialog_Innbygger_TjensesteOversikt"
        "Helsepersonell" sends {
            "Oversikt" "Tjenesteoversikt_hp_1" => "Dialog_Innbygger_TjenesteOversikt_Mottak_Asynk1" TJOVERSIKT Async;
        }
        "Innbygger" sends {
            "Apprec" "Dialog_Innbygger_TjenesteOversikt_A001" => "Tjenesteoversikt_hp_2" APPREC_11 Async;
        }

    process "Notifikasjon_Innbygger_time" "1.0" "f060e219-b4df-44f7-9ab4-3d1781ce64a1" service "NotifikasjonTime" at "Notifikasjon_Innbygger_time"
        "Helsepersonell" sends {
            "Time" "NotifikasjonTime_hp_1" => "NotifikasjonTime_innb_2" FHIR Async;
        }
        "Innbygger" sends {
            "Apprec" "NotifikasjonTime_innb_1" => "NotifikasjonTime_hp_2" APPREC_11 Async;
        }
};
