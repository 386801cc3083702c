package shop.gateway;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import shop.callee.Callee;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.micrometer.metrics.test.autoconfigure.AutoConfigureMetrics;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.assertj.MvcTestResult;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole service against a callee on a real port: what customers, Prometheus and the log get. */
@SpringBootTest
@AutoConfigureMockMvc
@AutoConfigureMetrics
@ExtendWith(OutputCaptureExtension.class)
class GatewayTests {

	private static final Callee orders = new Callee();

	@Autowired
	private MockMvcTester mvc;

	@DynamicPropertySource
	static void addresses(DynamicPropertyRegistry registry) {
		registry.add("shop.orders.url", orders::url);
	}

	@AfterAll
	static void close() {
		orders.close();
	}

	@Test
	void a_checkout_is_answered_with_what_orders_placed() {
		orders.answers(201, "{\"id\":\"o-1\",\"sku\":\"book-001\",\"quantity\":2,\"amountCents\":1900,\"payment\":\"p-1\"}");
		assertThat(checkout("book-001", 2)).hasStatus(201).bodyJson().extractingPath("$.payment").isEqualTo("p-1");
	}

	@Test
	void a_checkout_of_nothing_is_refused_and_says_which_field() {
		assertThat(checkout("book-001", 0)).hasStatus(400)
			.hasContentType(MediaType.APPLICATION_PROBLEM_JSON)
			.bodyJson()
			.extractingPath("$.errors[0]")
			.asString()
			.startsWith("quantity ");
	}

	@Test
	void what_orders_refuses_is_passed_on_and_is_no_error_of_ours(CapturedOutput log) {
		orders.answers(409, "{\"title\":\"Conflict\",\"status\":409,\"detail\":\"book-000 is out of stock\"}");
		assertThat(checkout("book-000", 1)).hasStatus(409)
			.bodyJson()
			.extractingPath("$.detail")
			.isEqualTo("book-000 is out of stock");
		assertThat(log.getOut()).doesNotContain(" ERROR ");
	}

	@Test
	void an_order_nobody_placed_is_not_found() {
		orders.answers(404, "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"no order o-9\"}");
		assertThat(this.mvc.get().uri("/api/orders/o-9")).hasStatus(404);
	}

	@Test
	void a_failure_behind_us_is_502_and_one_error_with_its_stack_trace(CapturedOutput log) {
		orders.answers(500, "{\"title\":\"Internal Server Error\",\"status\":500}");
		assertThat(checkout("book-001", 1)).hasStatus(502);
		assertThat(log.getOut()).containsOnlyOnce(" ERROR ")
			.contains("callee failed with 500 during POST /api/checkout")
			.contains("\tat shop.gateway.checkout.CheckoutController.checkOut");
	}

	@Test
	void nobody_behind_us_is_503_and_one_error_with_its_stack_trace(CapturedOutput log) {
		orders.hangsUp();
		assertThat(this.mvc.get().uri("/api/stock/book-001")).hasStatus(503);
		assertThat(log.getOut()).containsOnlyOnce(" ERROR ").contains("callee doesn't answer during GET /api/stock/book-001");
	}

	@Test
	void prometheus_sees_buckets_with_service_and_version() {
		orders.answers(200, "{\"sku\":\"book-001\",\"available\":7,\"priceCents\":950}");
		assertThat(this.mvc.get().uri("/api/stock/book-001")).hasStatusOk();
		assertThat(this.mvc.get().uri("/actuator/prometheus")).hasStatusOk()
			.bodyText()
			.containsPattern("http_server_requests_seconds_bucket\\{[^}]*service=\"gateway\"[^}]*uri=\"/api/stock/\\{sku}\""
					+ "[^}]*version=\"1.0.0\"[^}]*le=\"1.0\"} 1")
			.containsPattern("http_client_requests_seconds_bucket\\{client_name=\"127.0.0.1\"");
	}

	@Test
	void the_pool_can_not_be_exhausted_where_there_is_none() {
		assertThat(this.mvc.post().uri("/actuator/faults/pool-exhausted")).hasStatus(400)
			.bodyJson()
			.extractingPath("$.error")
			.asString()
			.startsWith("gateway has no connection pool");
	}

	private MvcTestResult checkout(String sku, int quantity) {
		return this.mvc.post()
			.uri("/api/checkout")
			.contentType(MediaType.APPLICATION_JSON)
			.content("{\"sku\":\"%s\",\"quantity\":%d,\"card\":\"card-1234\"}".formatted(sku, quantity))
			.exchange();
	}

}
