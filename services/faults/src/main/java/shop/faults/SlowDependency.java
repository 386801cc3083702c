package shop.faults;

import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code slow-dependency}: what this service itself waits for answers 1,500 ms later, and so does this service. */
class SlowDependency extends SwitchedFault {

	private static final Logger log = LoggerFactory.getLogger(SlowDependency.class);

	private final String provider;

	private final Duration delay;

	private final Pace words = new Pace(Duration.ofSeconds(5));

	SlowDependency(String provider, Duration delay) {
		super("slow-dependency");
		this.provider = provider;
		this.delay = delay;
	}

	@Override
	public void beforeRequest() {
		if (isOn()) {
			long waited = Waiting.sleep(this.delay);
			if (this.words.isDue()) {
				log.warn("{} answered after {} ms, expected within 200 ms", this.provider, waited);
			}
		}
	}

}
