"""From discovery to an access token and a proof for a resource: client assertion and DPoP with PS256, nonce challenge."""
import base64, hashlib, json, sys, time, uuid

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

issuer, client_id, scope, jwk_file, trust = sys.argv[1:]
jwk = json.load(open(jwk_file))
http = requests.Session()
http.trust_env = False  # no proxy and no other trust from the environment
http.verify = trust


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decode(text), "big")


public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"]))
private = rsa.RSAPrivateNumbers(
    *(number(jwk[name]) for name in ("p", "q", "d", "dp", "dq", "qi")), public
).private_key()


def sign(header, claims):
    parts = [encode(json.dumps(part).encode()) for part in (header, claims)]
    signed = ".".join(parts).encode()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return ".".join(parts + [encode(private.sign(signed, pss, hashes.SHA256()))])


def claims(**more):
    return {"jti": str(uuid.uuid4()), "iat": int(time.time()), **more}


def proof(method, url, **more):
    key = {name: jwk[name] for name in ("kty", "n", "e")}
    header = {"alg": "PS256", "typ": "dpop+jwt", "jwk": key}
    return sign(header, claims(htm=method, htu=url, **more))


def ask(endpoint, audience, **nonce):
    now = int(time.time())
    header = {"alg": "PS256", "typ": "client-authentication+jwt", "kid": jwk["kid"]}
    assertion = claims(iss=client_id, sub=client_id, aud=audience, nbf=now, exp=now + 10)
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(header, assertion),
    }
    return http.post(endpoint, data=form, headers={"DPoP": proof("POST", endpoint, **nonce)}, timeout=30)


metadata = http.get(issuer + "/.well-known/openid-configuration", timeout=30).json()
assert metadata["issuer"] == issuer
first = ask(metadata["token_endpoint"], metadata["issuer"])
assert first.json()["error"] == "use_dpop_nonce", first.text
second = ask(metadata["token_endpoint"], metadata["issuer"], nonce=first.headers["DPoP-Nonce"])
token = second.json()["access_token"]
header, body, signature = token.split(".")
keys = http.get(metadata["jwks_uri"], timeout=30).json()["keys"]
key = next(key for key in keys if key["kid"] == json.loads(decode(header))["kid"])
raw = decode(signature)
half = len(raw) // 2
point = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1())
point.public_key().verify(
    utils.encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")),
    f"{header}.{body}".encode(),
    ec.ECDSA(hashes.SHA256()),
)
resource = "https://localhost:8443/v2/Profiles/8900011"
thumbprint = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
print(json.dumps({
    "statuses": [first.status_code, second.status_code],
    "token": token,
    "claims": json.loads(decode(body)),
    "thumbprint": encode(hashlib.sha256(thumbprint.encode()).digest()),
    "resource": resource,
    "proof": proof("GET", resource, ath=encode(hashlib.sha256(token.encode()).digest())),
}))
