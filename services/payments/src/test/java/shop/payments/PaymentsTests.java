package shop.payments;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.micrometer.metrics.test.autoconfigure.AutoConfigureMetrics;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.assertj.MvcTestResult;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole service with its database. */
@SpringBootTest
@AutoConfigureMockMvc
@AutoConfigureMetrics
@ExtendWith(OutputCaptureExtension.class)
class PaymentsTests {

	@Autowired
	private MockMvcTester mvc;

	@Test
	void an_order_that_comes_again_is_charged_once() throws Exception {
		MvcTestResult first = charge("o-1", 1900);
		assertThat(first).hasStatus(201).bodyJson().extractingPath("$.amountCents").isEqualTo(1900);
		assertThat(charge("o-1", 1900)).bodyJson().isStrictlyEqualTo(first.getResponse().getContentAsString());
	}

	@Test
	void nothing_is_not_charged() {
		assertThat(charge("o-2", 0)).hasStatus(400)
			.bodyJson()
			.extractingPath("$.errors[0]")
			.asString()
			.startsWith("amountCents ");
	}

	@Test
	void an_exception_is_500_one_error_with_stack_trace_and_the_label_of_the_metric(CapturedOutput log) {
		assertThat(this.mvc.post().uri("/actuator/faults/error-burst")).hasStatusOk();
		try {
			assertThat(charge("o-3", 100)).hasStatus(500);
		}
		finally {
			assertThat(this.mvc.delete().uri("/actuator/faults/error-burst")).hasStatusOk();
		}
		assertThat(log.getOut()).containsOnlyOnce(" ERROR ")
			.contains("POST /payments failed")
			.contains("InconsistentPriceTableException: price table row 0 has no currency");
		assertThat(this.mvc.get().uri("/actuator/prometheus")).bodyText()
			.containsPattern("http_server_requests_seconds_bucket\\{error=\"InconsistentPriceTableException\","
					+ "[^}]*service=\"payments\",status=\"500\",uri=\"/payments\",version=\"1.0.0\",le=");
	}

	private MvcTestResult charge(String order, long amountCents) {
		return this.mvc.post()
			.uri("/payments")
			.contentType(MediaType.APPLICATION_JSON)
			.content("{\"order\":\"%s\",\"amountCents\":%d,\"card\":\"card-1234\"}".formatted(order, amountCents))
			.exchange();
	}

}
