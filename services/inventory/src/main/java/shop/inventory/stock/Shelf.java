package shop.inventory.stock;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * What is in stock: twenty books, {@code book-001} to {@code book-020}, and {@code book-000}, which is sold out for
 * ever. The shelf is refilled by itself, so that days of load change nothing.
 */
@Component
class Shelf {

	static final int FULL = 1000;

	private static final int BOOKS = 20;

	private final Map<String, Integer> available = new ConcurrentHashMap<>();

	Shelf() {
		refill();
	}

	@Scheduled(fixedRate = 10_000)
	void refill() {
		for (int book = 0; book <= BOOKS; book++) {
			this.available.put(sku(book), (book == 0) ? 0 : FULL);
		}
	}

	Optional<Stock> find(String sku) {
		return Optional.ofNullable(this.available.get(sku)).map((count) -> new Stock(sku, count, priceCents(sku)));
	}

	/** Returns whether there were enough; if not, nothing was taken. */
	boolean take(String sku, int quantity) {
		boolean[] taken = new boolean[1];
		this.available.computeIfPresent(sku, (key, count) -> {
			taken[0] = count >= quantity;
			return taken[0] ? count - quantity : count;
		});
		return taken[0];
	}

	private static String sku(int book) {
		return "book-%03d".formatted(book);
	}

	private static long priceCents(String sku) {
		return 900 + 50L * Integer.parseInt(sku.substring("book-".length()));
	}

}
