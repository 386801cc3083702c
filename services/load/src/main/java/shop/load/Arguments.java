package shop.load;

import java.net.URI;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * What the load generator was told.
 *
 * @param target where the shop is
 * @param rate requests a second at factor 1
 * @param factor a fixed factor instead of the daily curve
 * @param control a file that says {@code idle} while hardly anybody shall come
 */
record Arguments(URI target, double rate, Optional<Double> factor, Optional<Path> control) {

	private static final double BASE_RATE = 10;

	private static final String USAGE = "usage: load URL [--rate REQUESTS_A_SECOND] [--factor FACTOR] [--control FILE]";

	static Arguments parse(String... args) {
		URI target = null;
		double rate = BASE_RATE;
		Optional<Double> factor = Optional.empty();
		Optional<Path> control = Optional.empty();
		for (Iterator<String> words = List.of(args).iterator(); words.hasNext();) {
			String word = words.next();
			switch (word) {
				case "--rate" -> rate = number(word, words);
				case "--factor" -> factor = Optional.of(number(word, words));
				case "--control" -> control = Optional.of(Path.of(value(word, words)));
				default -> {
					if (target != null || !word.startsWith("http://")) {
						throw new IllegalArgumentException("'" + word + "' is not known; " + USAGE);
					}
					target = URI.create(word);
				}
			}
		}
		if (target == null) {
			throw new IllegalArgumentException("where the shop is was not said; " + USAGE);
		}
		return new Arguments(target, rate, factor, control);
	}

	private static String value(String word, Iterator<String> words) {
		if (!words.hasNext()) {
			throw new IllegalArgumentException(word + " wants a value; " + USAGE);
		}
		return words.next();
	}

	private static double number(String word, Iterator<String> words) {
		String value = value(word, words);
		double number;
		try {
			number = Double.parseDouble(value);
		}
		catch (NumberFormatException ex) {
			number = Double.NaN;
		}
		if (!(number > 0 && number <= 1000)) {
			throw new IllegalArgumentException(word + " '" + value + "' is not a number above 0 and up to 1000");
		}
		return number;
	}

}
