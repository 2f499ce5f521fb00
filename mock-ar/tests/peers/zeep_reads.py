"""Reads a party, documents and certificates with zeep, from the description that the register serves.

Usage: zeep_reads.py BASE USER PASSWORD TRUST CPA_ID. Prints one JSON object.
"""

import base64
import json
import sys

import requests
import zeep

COMMON = "{http://register.nhn.no/Common}"


def client(base, path, session):
    return zeep.Client(f"{base}{path}?singleWsdl", transport=zeep.Transport(session=session))


def read_register(service):
    party = service.GetCommunicationPartyDetails(herId=8900011)
    try:
        service.GetCommunicationPartyDetails(herId=8900099)
        fault = None
    except zeep.exceptions.Fault as error:
        fault = error.detail.find(f".//{COMMON}ErrorCode").text
    found = service.SearchById(id="310900109")
    return {
        "name": party.Name,
        "type": type(party).__name__,
        "fault": fault,
        "organization": service.GetOrganizationDetails(herId=8900001).OrganizationNumber,
        "found": len(found),
    }


def main(base, user, password, trust, cpa_id):
    session = requests.Session()
    # Proxies and CA bundles of the environment are for the outside world.
    session.trust_env = False
    session.auth = (user, password)
    session.verify = trust
    register = client(base, "/v1/AR", session)
    bindings = {
        port: register.bind("CommunicationPartyService", port) for port in ("Basic", "WS")
    }
    result = {port: read_register(service) for port, service in bindings.items()}
    basic = bindings["Basic"]
    addresses = basic.GetCommunicationPartyDetails(herId=8900011).ElectronicAddresses.ElectronicAddress
    result["queues"] = [a.Address for a in addresses if a.TypeCodeValue.startswith("E_SB_")]
    for name, operation in (
        ("encryption", basic.GetCertificateDetailsForEncryption),
        ("signing", basic.GetCertificateDetailsForValidatingSignature),
    ):
        result[name] = base64.b64encode(operation(herId=109989).Certificate).decode()
    cppa = client(base, "/v1/CPPA/Basic", session).bind("CPPAService", "Basic")
    result["cpp"] = cppa.GetCppXmlForCommunicationParty(herId=109989)
    parties = {"communicationPartAHerId": 8900011, "communicationPartBHerId": 109989}
    agreement = cppa.GetCpaForCommunicationPartiesXml(**parties)
    result["cpa"] = agreement.CollaborationProtocolAgreementXml
    result["cpa_by_id"] = cppa.GetCpaXml(cpaId=cpa_id).CollaborationProtocolAgreementXml
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
