//! The security token service (HelseID): client assertions, DPoP and access tokens.
