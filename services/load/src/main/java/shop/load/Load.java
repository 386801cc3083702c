package shop.load;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sends customers to the shop in an open loop: they come when they come, however slowly the shop answers, and go on
 * coming when it fails. Prints a line a minute.
 */
public final class Load {

	/** Beyond this many open requests a customer goes away unserved, and is counted. */
	private static final int IN_FLIGHT_MAX = 200;

	private static final double IDLE_RATE = 1;

	private static final long NANOS = TimeUnit.SECONDS.toNanos(1);

	private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");

	private final Arguments arguments;

	private final Curve curve;

	private final Customers customers;

	private final HttpClient client = Customers.client();

	private final AtomicInteger inFlight = new AtomicInteger();

	private final AtomicLong sent = new AtomicLong();

	private final AtomicLong ok = new AtomicLong();

	private final AtomicLong failed = new AtomicLong();

	private final AtomicLong dropped = new AtomicLong();

	Load(Arguments arguments, Curve curve) {
		this.arguments = arguments;
		this.curve = curve;
		this.customers = new Customers(arguments.target(), new Random());
	}

	public static void main(String[] args) throws Exception {
		Arguments arguments;
		try {
			arguments = Arguments.parse(args);
		}
		catch (IllegalArgumentException ex) {
			System.err.println("load: " + ex.getMessage());
			System.exit(2);
			return;
		}
		new Load(arguments, Curve.ofTheShop()).run();
	}

	void run() throws InterruptedException {
		long due = System.nanoTime();
		long report = due + TimeUnit.MINUTES.toNanos(1);
		while (true) {
			long now = System.nanoTime();
			if (now - report >= 0) {
				report();
				report += TimeUnit.MINUTES.toNanos(1);
			}
			// After a pause of the whole machine nobody comes twice as often.
			due = Math.max(due + (long) (NANOS / rate()), now - NANOS);
			TimeUnit.NANOSECONDS.sleep(due - now);
			send();
		}
	}

	private double rate() {
		if (isIdle()) {
			return IDLE_RATE;
		}
		double factor = this.arguments.factor().orElseGet(() -> this.curve.at(LocalTime.now()));
		return this.arguments.rate() * factor;
	}

	private boolean isIdle() {
		try {
			return this.arguments.control().isPresent()
					&& Files.readString(this.arguments.control().get()).strip().equals("idle");
		}
		catch (IOException ex) {
			return false; // No file, no wish.
		}
	}

	private void send() {
		this.sent.incrementAndGet();
		if (this.inFlight.incrementAndGet() > IN_FLIGHT_MAX) {
			this.inFlight.decrementAndGet();
			this.dropped.incrementAndGet();
			return;
		}
		this.client.sendAsync(this.customers.next(), Customers.answers()).whenComplete((answer, failure) -> {
			this.inFlight.decrementAndGet();
			count(answer);
		});
	}

	/** A refusal of a wrong request is an answer as it should be. */
	private void count(HttpResponse<String> answer) {
		if (answer == null || answer.statusCode() >= 500) {
			this.failed.incrementAndGet();
			return;
		}
		this.ok.incrementAndGet();
		this.customers.remember(answer);
	}

	private void report() {
		System.out.printf("%s sent %d ok %d failed %d dropped %d%n", LocalTime.now().format(CLOCK),
				this.sent.getAndSet(0), this.ok.getAndSet(0), this.failed.getAndSet(0), this.dropped.getAndSet(0));
	}

}
