//! The message bus (Tjenestebuss): an AMQP 1.0 broker that behaves as NHN's bus does, and misbehaves on purpose.
