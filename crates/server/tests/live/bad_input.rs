//! Bad input from every side: a clear message, and the rest goes on.
