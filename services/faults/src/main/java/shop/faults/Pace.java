package shop.faults;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Says yes at most once in a while, so that a fault met by every request doesn't fill the log. */
class Pace {

	private final long intervalNanos;

	private final AtomicLong next = new AtomicLong(System.nanoTime());

	Pace(Duration interval) {
		this.intervalNanos = interval.toNanos();
	}

	boolean isDue() {
		long now = System.nanoTime();
		long due = this.next.get();
		return now - due >= 0 && this.next.compareAndSet(due, now + this.intervalNanos);
	}

}
