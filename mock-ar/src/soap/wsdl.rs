//! The served service description: one document with everything inside, built from the tables that dispatch uses, so that it never
//! promises what is not there (contract 02 rule ).

use super::description::{Description, Operation};
use super::schema::{SCHEMAS, Schema, Type, is_value};
use crate::xml::Xml;

const XS: &str = "http://www.w3.org/2001/XMLSchema";
const FAULT: &str = "GenericFaultFault";

/// The two bindings: name of the port, prefix of the WSDL extension.
const BINDINGS: [(&str, &str); 2] = [("Basic", "soap"), ("WS", "soap12")];

/// The WSDL of a service whose addresses begin with `base`.
pub(super) fn document(service: &Description, base: &str) -> String {
    let mut namespaces = vec![
        ("xmlns:wsdl", "http://schemas.xmlsoap.org/wsdl/".to_owned()),
        (
            "xmlns:soap",
            "http://schemas.xmlsoap.org/wsdl/soap/".to_owned(),
        ),
        (
            "xmlns:soap12",
            "http://schemas.xmlsoap.org/wsdl/soap12/".to_owned(),
        ),
        (
            "xmlns:wsam",
            "http://www.w3.org/2007/05/addressing/metadata".to_owned(),
        ),
        (
            "xmlns:wsaw",
            "http://www.w3.org/2006/05/addressing/wsdl".to_owned(),
        ),
        ("xmlns:t", service.namespace.to_owned()),
        ("xmlns:a", super::envelope::COMMON.to_owned()),
    ];
    namespaces.push(("name", service.name.to_owned()));
    namespaces.push(("targetNamespace", service.namespace.to_owned()));
    let attributes: Vec<_> = namespaces
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut xml = Xml::new();
    xml.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>")
        .within("wsdl:definitions", &attributes, |xml| {
            xml.within("wsdl:types", &[], |xml| {
                for schema in &SCHEMAS {
                    write_schema(xml, schema, service);
                }
            });
            for operation in service.operations {
                messages(xml, operation);
            }
            port_type(xml, service);
            for (name, prefix) in BINDINGS {
                binding(xml, service, name, prefix);
            }
            ports(xml, service, base);
        });
    xml.into_string()
}

fn write_schema(xml: &mut Xml, schema: &Schema, service: &Description) {
    let prefixes: Vec<_> = SCHEMAS
        .iter()
        .map(|schema| (format!("xmlns:{}", schema.prefix), schema.namespace))
        .collect();
    let mut attributes = vec![
        ("xmlns:xs", XS),
        ("elementFormDefault", "qualified"),
        ("targetNamespace", schema.namespace),
    ];
    attributes.extend(prefixes.iter().map(|(name, value)| (name.as_str(), *value)));
    xml.within("xs:schema", &attributes, |xml| {
        for other in SCHEMAS.iter().filter(|other| other.prefix != schema.prefix) {
            xml.empty("xs:import", &[("namespace", other.namespace)]);
        }
        for entry in schema.types {
            write_type(xml, schema, entry);
        }
        if schema.namespace == service.namespace {
            for operation in service.operations {
                wrappers(xml, operation);
            }
        }
    });
}

fn write_type(xml: &mut Xml, schema: &Schema, entry: &Type) {
    let qualified = |name: &str| format!("{}:{name}", schema.prefix);
    match entry {
        Type::Record {
            name,
            base,
            members,
        } => {
            xml.within("xs:complexType", &[("name", *name)], |xml| match base {
                None => sequence(xml, members),
                Some(base) => {
                    xml.within("xs:complexContent", &[], |xml| {
                        let base = [("base", *base)];
                        xml.within("xs:extension", &base, |xml| sequence(xml, members));
                    });
                }
            });
            global(xml, name, &qualified(name));
        }
        Type::Array { item } => {
            let name = format!("ArrayOf{item}");
            let items = [
                ("minOccurs", "0"),
                ("maxOccurs", "unbounded"),
                ("name", *item),
                ("nillable", "true"),
                ("type", &qualified(item)),
            ];
            xml.within("xs:complexType", &[("name", &name)], |xml| {
                xml.within("xs:sequence", &[], |xml| {
                    xml.empty("xs:element", &items);
                });
            });
            global(xml, &name, &qualified(&name));
        }
        Type::Words { name, values } => {
            let facets: Vec<_> = values
                .iter()
                .map(|value| ("xs:enumeration", *value))
                .collect();
            restriction(xml, name, &facets);
        }
        Type::Pattern { name, pattern } => restriction(xml, name, &[("xs:pattern", pattern)]),
    }
}

fn restriction(xml: &mut Xml, name: &str, facets: &[(&str, &str)]) {
    xml.within("xs:simpleType", &[("name", name)], |xml| {
        xml.within("xs:restriction", &[("base", "xs:string")], |xml| {
            for (facet, value) in facets {
                xml.empty(facet, &[("value", *value)]);
            }
        });
    });
}

fn global(xml: &mut Xml, name: &str, kind: &str) {
    xml.empty(
        "xs:element",
        &[("name", name), ("nillable", "true"), ("type", kind)],
    );
}

fn sequence(xml: &mut Xml, members: &[(&str, &str)]) {
    xml.within("xs:sequence", &[], |xml| {
        for (name, kind) in members {
            let mut attributes = vec![("minOccurs", "0"), ("name", *name), ("type", *kind)];
            if !is_value(kind) {
                attributes.push(("nillable", "true"));
            }
            xml.empty("xs:element", &attributes);
        }
    });
}

/// The elements of request and response.
fn wrappers(xml: &mut Xml, operation: &Operation) {
    let result = format!("{}Result", operation.name);
    let response = format!("{}Response", operation.name);
    let result = [(result.as_str(), operation.result)];
    for (name, members) in [(operation.name, operation.parameters), (&response, &result)] {
        xml.within("xs:element", &[("name", name)], |xml| {
            xml.within("xs:complexType", &[], |xml| sequence(xml, members));
        });
    }
}

fn messages(xml: &mut Xml, operation: &Operation) {
    let name = operation.name;
    let parts = [
        (format!("{name}_Input"), "parameters", format!("t:{name}")),
        (
            format!("{name}_Output"),
            "parameters",
            format!("t:{name}Response"),
        ),
        (
            format!("{name}_Fault"),
            "detail",
            "a:GenericFault".to_owned(),
        ),
    ];
    for (message, part, element) in &parts {
        xml.within("wsdl:message", &[("name", message)], |xml| {
            xml.empty("wsdl:part", &[("name", part), ("element", element)]);
        });
    }
}

fn port_type(xml: &mut Xml, service: &Description) {
    xml.within("wsdl:portType", &[("name", service.interface)], |xml| {
        for operation in service.operations {
            let action = service.action(operation.name);
            let message = |kind: &str| format!("t:{}_{kind}", operation.name);
            xml.within("wsdl:operation", &[("name", operation.name)], |xml| {
                let reply = format!("{action}Response");
                let fault = format!("{action}{FAULT}");
                xml.empty(
                    "wsdl:input",
                    &[("wsam:Action", &action), ("message", &message("Input"))],
                )
                .empty(
                    "wsdl:output",
                    &[("wsam:Action", &reply), ("message", &message("Output"))],
                )
                .empty(
                    "wsdl:fault",
                    &[
                        ("name", FAULT),
                        ("wsam:Action", &fault),
                        ("message", &message("Fault")),
                    ],
                );
            });
        }
    });
}

fn binding(xml: &mut Xml, service: &Description, name: &str, prefix: &str) {
    let attributes = [
        ("name", &*format!("{name}_{}", service.interface)),
        ("type", &format!("t:{}", service.interface)),
    ];
    let body = |xml: &mut Xml| {
        xml.empty(&format!("{prefix}:body"), &[("use", "literal")]);
    };
    xml.within("wsdl:binding", &attributes, |xml| {
        let transport = ("transport", "http://schemas.xmlsoap.org/soap/http");
        xml.empty(
            &format!("{prefix}:binding"),
            &[("style", "document"), transport],
        );
        if prefix == "soap12" {
            xml.empty("wsaw:UsingAddressing", &[]);
        }
        for operation in service.operations {
            let action = service.action(operation.name);
            xml.within("wsdl:operation", &[("name", operation.name)], |xml| {
                xml.empty(
                    &format!("{prefix}:operation"),
                    &[("soapAction", &action), ("style", "document")],
                )
                .within("wsdl:input", &[], body)
                .within("wsdl:output", &[], body)
                .within("wsdl:fault", &[("name", FAULT)], |xml| {
                    xml.empty(
                        &format!("{prefix}:fault"),
                        &[("name", FAULT), ("use", "literal")],
                    );
                });
            });
        }
    });
}

fn ports(xml: &mut Xml, service: &Description, base: &str) {
    let paths = [service.basic_path(), service.ws_path().to_owned()];
    xml.within("wsdl:service", &[("name", service.name)], |xml| {
        for ((name, prefix), path) in BINDINGS.into_iter().zip(paths) {
            let binding = format!("t:{name}_{}", service.interface);
            xml.within(
                "wsdl:port",
                &[("name", name), ("binding", &binding)],
                |xml| {
                    let location = format!("{base}{path}");
                    xml.empty(&format!("{prefix}:address"), &[("location", &location)]);
                },
            );
        }
    });
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_type_that_is_named_is_described() {
        for path in ["/v1/ar", "/v1/cppa"] {
            let wsdl = document(Description::at(path).unwrap(), "https://localhost:1");
            let wsdl = roxmltree::Document::parse(&wsdl).unwrap();
            let types: HashSet<_> = wsdl
                .descendants()
                .filter(|node| matches!(node.tag_name().name(), "complexType" | "simpleType"))
                .filter_map(|node| {
                    let schema = node
                        .ancestors()
                        .find(|above| above.has_tag_name((XS, "schema")))?;
                    Some((
                        schema.attribute("targetNamespace")?,
                        node.attribute("name")?,
                    ))
                })
                .collect();
            for node in wsdl.descendants() {
                let named = node.attribute("type").or_else(|| node.attribute("base"));
                let Some((prefix, name)) = named.and_then(|named| named.split_once(':')) else {
                    continue;
                };
                let namespace = node.lookup_namespace_uri(Some(prefix)).unwrap();
                let known = namespace == XS
                    || types.contains(&(namespace, name))
                    || node.tag_name().name() == "binding";
                assert!(known, "{prefix}:{name}");
            }
        }
    }
}
