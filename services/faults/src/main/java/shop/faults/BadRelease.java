package shop.faults;

import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code bad-release}: version 1.1.0 has slower code in it, about 1,500 ms for each request.
 * It isn't switched: the version that was started has it or hasn't.
 */
class BadRelease implements Fault {

	private static final Logger log = LoggerFactory.getLogger(BadRelease.class);

	static final String SLOW_VERSION = "1.1.0";

	private final String version;

	private final Duration delay;

	private final Pace words = new Pace(Duration.ofSeconds(5));

	BadRelease(String version, Duration delay) {
		this.version = version;
		this.delay = delay;
	}

	@Override
	public String kind() {
		return "bad-release";
	}

	@Override
	public boolean isOn() {
		return SLOW_VERSION.equals(this.version);
	}

	@Override
	public void switchOn() {
		throw refused();
	}

	@Override
	public void switchOff() {
		throw refused();
	}

	@Override
	public void beforeRequest() {
		if (isOn()) {
			long waited = Waiting.sleep(this.delay);
			if (this.words.isDue()) {
				log.warn("discount engine of release {} evaluated every campaign one by one, {} ms", this.version,
						waited);
			}
		}
	}

	private FaultRefusedException refused() {
		return new FaultRefusedException("bad-release is a restart with another version: this is " + this.version
				+ ", start with --shop.version=" + SLOW_VERSION + " (bad) or --shop.version=1.0.0 (good)");
	}

}
