package shop.inventory;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.micrometer.metrics.test.autoconfigure.AutoConfigureMetrics;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.assertj.MvcTestResult;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole service. */
@SpringBootTest
@AutoConfigureMockMvc
@AutoConfigureMetrics
class InventoryTests {

	@Autowired
	private MockMvcTester mvc;

	@Test
	void what_is_in_stock_can_be_reserved_and_has_a_price() {
		assertThat(reserve("book-001", 2)).hasStatus(201).bodyJson().extractingPath("$.priceCents").isEqualTo(950);
	}

	@Test
	void what_is_sold_out_can_not_be_reserved() {
		assertThat(reserve("book-000", 1)).hasStatus(409)
			.bodyJson()
			.extractingPath("$.detail")
			.isEqualTo("book-000 is out of stock");
	}

	@Test
	void an_article_that_was_never_sold_is_not_found() {
		assertThat(this.mvc.get().uri("/stock/book-999")).hasStatus(404);
		assertThat(reserve("book-999", 1)).hasStatus(404);
	}

	@Test
	void more_than_twenty_of_one_article_are_refused() {
		assertThat(reserve("book-001", 21)).hasStatus(400)
			.bodyJson()
			.extractingPath("$.errors[0]")
			.asString()
			.startsWith("quantity ");
	}

	@Test
	void prometheus_sees_buckets_with_service_and_version() {
		assertThat(this.mvc.get().uri("/stock/book-001")).hasStatusOk();
		assertThat(this.mvc.get().uri("/actuator/prometheus")).hasStatusOk()
			.bodyText()
			.containsPattern("http_server_requests_seconds_bucket\\{[^}]*service=\"inventory\"[^}]*version=\"1.0.0\"[^}]*le=");
	}

	private MvcTestResult reserve(String sku, int quantity) {
		return this.mvc.post()
			.uri("/reservations")
			.contentType(MediaType.APPLICATION_JSON)
			.content("{\"order\":\"o-1\",\"sku\":\"%s\",\"quantity\":%d}".formatted(sku, quantity))
			.exchange();
	}

}
