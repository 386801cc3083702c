package shop.faults;

import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code cpu-burn}: one thread computes without pause and so occupies one core. */
class CpuBurn extends BackgroundFault {

	private static final Logger log = LoggerFactory.getLogger(CpuBurn.class);

	private final Pace words = new Pace(Duration.ofSeconds(7));

	CpuBurn() {
		super("cpu-burn", "price-rules");
	}

	@Override
	void run() {
		double price = 1.0;
		long rounds = 0;
		while (!Thread.currentThread().isInterrupted()) {
			for (int rule = 1; rule <= 100_000; rule++) {
				price = Math.abs(Math.sin(price * rule)) + 1.0;
			}
			rounds++;
			if (this.words.isDue()) {
				log.warn("price rules recomputed {} times and still not settled, last price {}", rounds, price);
			}
		}
	}

}
