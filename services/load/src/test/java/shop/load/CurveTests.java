package shop.load;

import java.time.LocalTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

/** The daily curve: between two hours it is a straight line, also over midnight. */
class CurveTests {

	@Test
	void half_past_is_half_way_also_over_midnight() {
		List<String> lines = new ArrayList<>(List.of("# hour,factor"));
		IntStream.range(0, 24).forEach((hour) -> lines.add(hour + "," + (1 + hour / 10.0)));
		Curve curve = Curve.parse(lines);
		assertThat(curve.at(LocalTime.of(7, 0))).isEqualTo(1.7);
		assertThat(curve.at(LocalTime.of(7, 30))).isEqualTo(1.75, within(1e-9));
		assertThat(curve.at(LocalTime.of(23, 30))).isEqualTo((3.3 + 1.0) / 2, within(1e-9));
	}

	@Test
	void a_line_out_of_order_is_refused_and_named() {
		assertThatIllegalArgumentException().isThrownBy(() -> Curve.parse(List.of("0,1", "2,1")))
			.withMessageContaining("expected hour 1")
			.withMessageContaining("'2,1'");
		assertThatIllegalArgumentException().isThrownBy(() -> Curve.parse(List.of("0,1")))
			.withMessageContaining("24 are wanted");
	}

	@Test
	void the_built_in_curve_stays_between_half_and_thirteen_tenths() throws Exception {
		Curve curve = Curve.ofTheShop();
		for (int minute = 0; minute < 24 * 60; minute++) {
			assertThat(curve.at(LocalTime.ofSecondOfDay(minute * 60L))).isBetween(0.5, 1.3);
		}
	}

}
