package shop.faults;

import java.time.Duration;

/** A wait as the caller of something slow has it: on the thread of the request, measured. */
class Waiting {

	private Waiting() {
	}

	/** Returns how long it really took, in milliseconds. */
	static long sleep(Duration delay) {
		long start = System.nanoTime();
		try {
			Thread.sleep(delay.toMillis());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		return Duration.ofNanos(System.nanoTime() - start).toMillis();
	}

}
