//! Organization numbers in a client assertion: `assertion_details` (contract 05 section 1.7).

use serde_json::{Map, Value};

use crate::config::{Client, Tenancy};
use crate::jws::{shortened, text_of};
use crate::refusal::{Code, Findings, Refusal};

/// Identifier system of `NO:ORGNR:{parent}:{child}`.
const PARENT_SYSTEM: &str = "urn:oid:1.0.6523";
/// Identifier system of a child number alone.
const CHILD_SYSTEM: &str = "urn:oid:2.16.578.1.12.4.1.4.101";
/// Most elements that are looked at.
const ELEMENT_LIMIT: usize = 8;

/// The organization that a token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Organization {
    pub(crate) parent: Option<String>,
    pub(crate) child: Option<String>,
}

/// Finds the organization that the client speaks for.
pub(crate) fn evaluate(
    client: &Client,
    claims: &Map<String, Value>,
    findings: &mut Findings,
) -> Result<Organization, Refusal> {
    let mut details = claims.get("assertion_details");
    if details.is_none() {
        details = claims.get("authorization_details");
        if details.is_some() {
            findings.push("organization numbers belong in 'assertion_details', not in 'authorization_details' (FK5)".to_owned());
        }
    }
    let elements = match details {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(elements)) if elements.len() <= ELEMENT_LIMIT => {
            elements.iter().collect()
        }
        Some(Value::Array(_)) => return Err(refusal(1007, "there are too many elements")),
        Some(single) => vec![single],
    };
    let mut numbers = None;
    for element in elements {
        let element = element
            .as_object()
            .ok_or_else(|| refusal(1007, "an element is not an object"))?;
        match text_of(element, "type") {
            Some("helseid_authorization") if numbers.is_none() => numbers = Some(read(element)?),
            Some("helseid_authorization") => {
                return Err(refusal(
                    1007,
                    "there are two helseid_authorization elements",
                ));
            }
            Some(other) => findings.push(format!(
                "the assertion detail '{}' is not used",
                shortened(other)
            )),
            None => return Err(refusal(1007, "an element has no 'type'")),
        }
    }
    match numbers {
        Some(numbers) => allowed(client, numbers),
        None => Ok(Organization {
            parent: match &client.tenancy {
                Tenancy::Single { parent, .. } => Some(parent.clone()),
                Tenancy::None | Tenancy::Multi { .. } => None,
            },
            child: None,
        }),
    }
}

/// Reads the numbers of one element.
fn read(element: &Map<String, Value>) -> Result<Organization, Refusal> {
    let identifier = element
        .get("practitioner_role")
        .and_then(|role| role.get("organization"))
        .and_then(|organization| organization.get("identifier"))
        .and_then(Value::as_object)
        .ok_or_else(|| refusal(1007, "practitioner_role.organization.identifier is missing"))?;
    if text_of(identifier, "type") != Some("ENH") {
        return Err(refusal(1007, "the identifier's 'type' is not 'ENH'"));
    }
    let value = text_of(identifier, "value")
        .ok_or_else(|| refusal(1007, "the identifier has no 'value'"))?;
    match text_of(identifier, "system") {
        Some(PARENT_SYSTEM) => {
            let numbers = value.strip_prefix("NO:ORGNR:").ok_or_else(|| {
                refusal(1007, "the value is not of the form NO:ORGNR:parent:child")
            })?;
            // HelseID.Library writes a colon after a parent that stands alone.
            let (parent, child) = numbers.split_once(':').unwrap_or((numbers, ""));
            Ok(Organization {
                parent: Some(number(parent)?),
                child: (!child.is_empty()).then(|| number(child)).transpose()?,
            })
        }
        Some(CHILD_SYSTEM) => Ok(Organization {
            parent: None,
            child: Some(number(value)?),
        }),
        _ => Err(refusal(
            1007,
            "the identifier's 'system' is neither urn:oid:1.0.6523 nor urn:oid:2.16.578.1.12.4.1.4.101",
        )),
    }
}

fn number(text: &str) -> Result<String, Refusal> {
    if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        let text = shortened(text);
        Err(refusal(
            1004,
            &format!("'{text}' does not have nine digits"),
        ))
    }
}

/// Holds the numbers against the registration.
fn allowed(client: &Client, named: Organization) -> Result<Organization, Refusal> {
    match (&client.tenancy, named.parent, named.child) {
        (Tenancy::None, ..) => Err(refusal(
            1010,
            "the client is not registered to pass organization numbers",
        )),
        (Tenancy::Multi { delegations }, Some(parent), child) => {
            if delegations.contains(&parent) {
                Ok(Organization {
                    parent: Some(parent),
                    child,
                })
            } else {
                let text = format!("the organization {parent} has not delegated to the supplier");
                Err(refusal(1001, &text))
            }
        }
        (Tenancy::Multi { .. }, None, _) => Err(refusal(
            1007,
            "a multi-tenant client names the parent organization: NO:ORGNR:parent:child",
        )),
        (Tenancy::Single { .. }, Some(_), _) => Err(refusal(
            1005,
            "a single-tenant client does not pass a parent number; it comes from the registration",
        )),
        (Tenancy::Single { children, .. }, None, Some(_)) if children.is_empty() => Err(refusal(
            1006,
            "the client is not registered to pass child numbers",
        )),
        (Tenancy::Single { parent, children }, None, child) => {
            if child
                .as_ref()
                .is_some_and(|child| !children.contains(child))
            {
                let text = "the child number is not among those registered for the client";
                return Err(refusal(1002, text));
            }
            Ok(Organization {
                parent: Some(parent.clone()),
                child,
            })
        }
    }
}

fn refusal(number: u16, text: &str) -> Refusal {
    Code::InvalidRequest.because(format!("HID-{number}: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn single() -> Client {
        Client {
            tenancy: Tenancy::Single {
                parent: "310900109".into(),
                children: vec!["310900419".into()],
            },
            ..Client::new("epj", "")
        }
    }

    fn multi() -> Client {
        Client {
            tenancy: Tenancy::Multi {
                delegations: vec!["310900109".into()],
            },
            ..Client::new("epj", "")
        }
    }

    fn detail(system: &str, value: &str) -> Value {
        json!({"type": "helseid_authorization", "practitioner_role": {"organization":
            {"identifier": {"system": system, "type": "ENH", "value": value}}}})
    }

    fn judge(client: &Client, details: Value) -> Result<Organization, String> {
        let claims = json!({"assertion_details": details});
        evaluate(client, claims.as_object().unwrap(), &mut Vec::new())
            .map_err(|refusal| refusal.description[..8].to_owned())
    }

    fn organization(parent: &str, child: Option<&str>) -> Result<Organization, String> {
        Ok(Organization {
            parent: Some(parent.into()),
            child: child.map(str::to_owned),
        })
    }

    #[test]
    fn the_forms_of_the_libraries_are_read() {
        for (value, child) in [
            ("NO:ORGNR:310900109:310900419", Some("310900419")),
            ("NO:ORGNR:310900109:", None),
            ("NO:ORGNR:310900109", None),
        ] {
            let expected = organization("310900109", child);
            assert_eq!(judge(&multi(), detail(PARENT_SYSTEM, value)), expected);
            let journal = json!({"type": "nhn:sfm:journal-id", "value": {"journal_id": "1"}});
            let list = json!([journal, detail(PARENT_SYSTEM, value)]);
            assert_eq!(judge(&multi(), list), expected);
        }
        assert_eq!(
            judge(&single(), detail(CHILD_SYSTEM, "310900419")),
            organization("310900109", Some("310900419"))
        );
        assert_eq!(judge(&single(), json!([])), organization("310900109", None));
        assert_eq!(judge(&multi(), Value::Null), Ok(Organization::default()));
    }

    #[test]
    fn each_error_has_its_number() {
        let parent = |value: &str| detail(PARENT_SYSTEM, value);
        let child = |value: &str| detail(CHILD_SYSTEM, value);
        let childless = Client {
            tenancy: Tenancy::Single {
                parent: "310900109".into(),
                children: Vec::new(),
            },
            ..single()
        };
        for (client, details, number) in [
            (multi(), parent("NO:ORGNR:310900303"), "HID-1001"),
            (single(), child("310900303"), "HID-1002"),
            (multi(), parent("NO:ORGNR:31090010x"), "HID-1004"),
            (multi(), parent("NO:ORGNR:310900109:1:2"), "HID-1004"),
            (single(), parent("NO:ORGNR:310900109"), "HID-1005"),
            (childless, child("310900419"), "HID-1006"),
            (multi(), parent("310900109"), "HID-1007"),
            (multi(), child("310900419"), "HID-1007"),
            (multi(), detail("urn:other", "310900419"), "HID-1007"),
            (
                multi(),
                json!({"type": "helseid_authorization"}),
                "HID-1007",
            ),
            (multi(), json!({"value": 1}), "HID-1007"),
            (multi(), json!("text"), "HID-1007"),
            (multi(), json!(vec![1; 9]), "HID-1007"),
            (Client::new("epj", ""), child("310900419"), "HID-1010"),
        ] {
            assert_eq!(judge(&client, details), Err(number.to_owned()));
        }
    }
}
