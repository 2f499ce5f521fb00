//! The certificate authority (Buypass): CA, CRL, OCSP, with faults.
