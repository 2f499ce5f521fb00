//! The address register (Adresseregisteret): parties, CPP and CPA over SOAP and REST.
