package shop.faults;

import java.util.concurrent.atomic.AtomicLong;

/** {@code error-burst}: three of ten requests fail with an exception, which the service answers with 500 and logs. */
class ErrorBurst extends SwitchedFault {

	private final AtomicLong requests = new AtomicLong();

	ErrorBurst() {
		super("error-burst");
	}

	@Override
	public void beforeRequest() {
		if (isOn()) {
			long request = this.requests.getAndIncrement();
			// Spread over the ten, and the same in every run.
			if (request * 3 % 10 < 3) {
				throw new InconsistentPriceTableException("price table row " + request % 1000 + " has no currency");
			}
		}
	}

	/** Named like what a shop would throw: the name is the label of the metric and the first line of the stack trace. */
	static class InconsistentPriceTableException extends RuntimeException {

		InconsistentPriceTableException(String message) {
			super(message);
		}

	}

}
