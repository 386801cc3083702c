package shop.load;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;

/** How many customers come at which time of day, as factors of the base rate: one for each full hour. */
class Curve {

	private static final int HOURS = 24;

	private static final double SECONDS_PER_HOUR = 3600;

	private final double[] factors;

	private Curve(double[] factors) {
		this.factors = factors;
	}

	/** The curve that is built in, {@code curve.csv}. */
	static Curve ofTheShop() throws IOException {
		List<String> lines = new ArrayList<>();
		try (BufferedReader reader = new BufferedReader(new InputStreamReader(
				Curve.class.getResourceAsStream("/curve.csv"), StandardCharsets.UTF_8))) {
			reader.lines().forEach(lines::add);
		}
		return parse(lines);
	}

	static Curve parse(List<String> lines) {
		double[] factors = new double[HOURS];
		int hour = 0;
		for (String line : lines) {
			if (line.isBlank() || line.startsWith("#")) {
				continue;
			}
			String[] fields = line.split(",");
			if (hour == HOURS || fields.length != 2 || Integer.parseInt(fields[0].trim()) != hour) {
				throw new IllegalArgumentException("curve: expected hour " + hour + " and its factor, found '" + line
						+ "'; 24 lines from 0 to 23 are wanted");
			}
			factors[hour++] = Double.parseDouble(fields[1].trim());
		}
		if (hour != HOURS) {
			throw new IllegalArgumentException("curve: ends after " + hour + " hours, 24 are wanted");
		}
		return new Curve(factors);
	}

	double at(LocalTime time) {
		double hours = time.toSecondOfDay() / SECONDS_PER_HOUR;
		int hour = (int) hours;
		double next = this.factors[(hour + 1) % HOURS];
		return this.factors[hour] + (next - this.factors[hour]) * (hours - hour);
	}

}
