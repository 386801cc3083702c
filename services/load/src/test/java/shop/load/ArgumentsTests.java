package shop.load;

import java.nio.file.Path;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/** What may be said to the load generator, and what it says to the rest. */
class ArgumentsTests {

	@Test
	void the_address_is_enough() {
		Arguments arguments = Arguments.parse("http://127.0.0.11:8480");
		assertThat(arguments.rate()).isEqualTo(10);
		assertThat(arguments.factor()).isEmpty();
		assertThat(arguments.control()).isEmpty();
	}

	@Test
	void everything_can_be_said() {
		Arguments arguments = Arguments.parse("--rate", "20", "http://127.0.0.11:8480", "--factor", "0.5", "--control",
				"run/load.control");
		assertThat(arguments.rate()).isEqualTo(20);
		assertThat(arguments.factor()).contains(0.5);
		assertThat(arguments.control()).contains(Path.of("run/load.control"));
	}

	@Test
	void the_rest_is_refused_and_named() {
		refused("where the shop is", "--rate", "5");
		refused("'--fast' is not known", "http://127.0.0.11:8480", "--fast");
		refused("--factor wants a value", "http://127.0.0.11:8480", "--factor");
		refused("'many' is not a number", "http://127.0.0.11:8480", "--rate", "many");
		refused("'0' is not a number above 0", "http://127.0.0.11:8480", "--rate", "0");
	}

	private static void refused(String message, String... arguments) {
		assertThatIllegalArgumentException().isThrownBy(() -> Arguments.parse(arguments)).withMessageContaining(message);
	}

}
