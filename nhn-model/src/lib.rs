//! Values of the Norwegian Health Network's messaging: identifiers, messages, profiles and message protection.
