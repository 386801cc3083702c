package shop.faults;

/** A fault that this service can't switch on or off; the message says why and what to do instead. */
class FaultRefusedException extends RuntimeException {

	FaultRefusedException(String message) {
		super(message);
	}

}
