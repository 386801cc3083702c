//! Every knob turns something, and the rule that opens incidents.
