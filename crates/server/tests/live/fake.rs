//! A fake Prometheus that misbehaves by script.
