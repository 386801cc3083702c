package shop.faults;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/** The endpoint in a service that has a pool, and what reaches the service's own requests. */
@SpringBootTest(properties = { "spring.application.name=sample", "shop.version=1.0.0",
		"management.endpoints.web.exposure.include=faults,health" })
@AutoConfigureMockMvc
class FaultsEndpointTests {

	@Autowired
	private MockMvcTester mvc;

	@Test
	void all_eight_are_known_and_none_is_on() {
		assertThat(this.mvc.get().uri("/actuator/faults")).hasStatusOk()
			.bodyJson()
			.isLenientlyEqualTo("{\"service\":\"sample\",\"version\":\"1.0.0\",\"on\":[]}")
			.extractingPath("$.known")
			.asArray()
			.containsExactlyInAnyOrder("cpu-burn", "heap-leak", "slow-dependency", "error-burst", "bad-release",
					"stopped", "pool-exhausted", "deadlock");
	}

	@Test
	void a_fault_reaches_requests_of_the_shop_and_never_the_actuator() {
		assertThat(this.mvc.post().uri("/actuator/faults/error-burst")).hasStatusOk()
			.bodyJson()
			.isLenientlyEqualTo("{\"on\":[\"error-burst\"]}");
		try {
			assertThat(this.mvc.get().uri("/thing")).hasFailed()
				.failure()
				.hasRootCauseInstanceOf(ErrorBurst.InconsistentPriceTableException.class);
			for (int request = 0; request < 10; request++) {
				assertThat(this.mvc.get().uri("/actuator/health")).hasStatusOk();
			}
		}
		finally {
			assertThat(this.mvc.delete().uri("/actuator/faults/error-burst")).hasStatusOk()
				.bodyJson()
				.isLenientlyEqualTo("{\"on\":[]}");
		}
		for (int request = 0; request < 10; request++) {
			assertThat(this.mvc.get().uri("/thing")).hasStatusOk();
		}
	}

	@Test
	void an_unknown_fault_is_refused_with_what_is_known() {
		assertThat(this.mvc.post().uri("/actuator/faults/meteor")).hasStatus(400)
			.bodyJson()
			.isLenientlyEqualTo("{\"error\":\"no fault is called meteor\"}")
			.hasPath("$.known[7]");
	}

	@SpringBootApplication
	static class Sample {

		@RestController
		static class Things {

			@GetMapping("/thing")
			String thing() {
				return "thing";
			}

		}

	}

}
