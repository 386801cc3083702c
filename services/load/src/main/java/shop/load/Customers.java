package shop.load;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What customers ask for: 40 % check out, 20 % look at an order, 40 % at the stock; one of a hundred asks wrongly. */
class Customers {

	private static final Duration TIME_OUT = Duration.ofSeconds(10);

	private static final Pattern ID = Pattern.compile("\"id\":\"([0-9a-f-]{36})\"");

	/** Orders of late; the shop forgets older ones. */
	private static final int REMEMBERED = 500;

	private static final int BOOKS = 20;

	private final URI shop;

	private final Random random;

	private final List<String> orders = new ArrayList<>();

	Customers(URI shop, Random random) {
		this.shop = shop;
		this.random = random;
	}

	/** The next request; what comes back from it goes to {@link #remember}. */
	synchronized HttpRequest next() {
		if (this.random.nextInt(100) == 0) {
			return wrong();
		}
		int percent = this.random.nextInt(100);
		if (percent < 40) {
			return checkout("book-%03d".formatted(1 + this.random.nextInt(BOOKS)), 1 + this.random.nextInt(3));
		}
		if (percent < 60 && !this.orders.isEmpty()) {
			return get("/api/orders/" + this.orders.get(this.random.nextInt(this.orders.size())));
		}
		return get("/api/stock/book-%03d".formatted(1 + this.random.nextInt(BOOKS)));
	}

	/** Answered with 400, 404 and 409. */
	private HttpRequest wrong() {
		return switch (this.random.nextInt(3)) {
			case 0 -> checkout("book-001", 0);
			case 1 -> get("/api/stock/book-999");
			default -> checkout("book-000", 1);
		};
	}

	private HttpRequest checkout(String sku, int quantity) {
		String body = "{\"sku\":\"%s\",\"quantity\":%d,\"card\":\"card-%04d\"}".formatted(sku, quantity,
				this.random.nextInt(10_000));
		return to("/api/checkout").header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)).build();
	}

	private HttpRequest get(String path) {
		return to(path).GET().build();
	}

	private HttpRequest.Builder to(String path) {
		return HttpRequest.newBuilder(this.shop.resolve(path)).timeout(TIME_OUT);
	}

	/** A placed order is one that somebody may look at later. */
	synchronized void remember(HttpResponse<String> answer) {
		Matcher id = ID.matcher(answer.body());
		if (answer.statusCode() == 201 && id.find()) {
			this.orders.add(id.group(1));
			if (this.orders.size() > REMEMBERED) {
				this.orders.remove(0);
			}
		}
	}

	/** HTTP/1.1, as most callers of such a service speak it. */
	static HttpClient client() {
		return HttpClient.newBuilder()
			.version(HttpClient.Version.HTTP_1_1)
			.connectTimeout(Duration.ofSeconds(2))
			.build();
	}

	static HttpResponse.BodyHandler<String> answers() {
		return BodyHandlers.ofString();
	}

}
