package shop.web;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.restclient.RestClientCustomizer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration;
import org.springframework.http.HttpStatus;
import org.springframework.mock.http.client.MockClientHttpResponse;
import org.springframework.web.client.RestClient;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

import static org.assertj.core.api.Assertions.assertThat;

/** What a service gets of this library; what is answered and logged is tested where the services are. */
@ExtendWith(OutputCaptureExtension.class)
class WebTests {

	private final WebApplicationContextRunner service = new WebApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(WebAutoConfiguration.class, WebMvcAutoConfiguration.class))
		.withPropertyValues("spring.mvc.problemdetails.enabled=true");

	@Test
	void a_service_that_asks_others_answers_their_failures_too_and_springs_own_handler_stays_away() {
		this.service.run((context) -> {
			assertThat(context).getBean(ResponseEntityExceptionHandler.class).isExactlyInstanceOf(CalleeFailures.class);
			assertThat(context).hasSingleBean(SlowCalls.class);
		});
	}

	@Test
	void a_service_that_asks_nobody_needs_no_client() {
		this.service.withClassLoader(new FilteredClassLoader(RestClientCustomizer.class)).run((context) -> {
			assertThat(context).getBean(ResponseEntityExceptionHandler.class).isExactlyInstanceOf(Failures.class);
			assertThat(context).doesNotHaveBean("slowCalls");
		});
	}

	@Test
	void a_call_of_more_than_a_second_is_logged_and_a_quick_one_is_not(CapturedOutput log) {
		call("/quick", 0);
		call("/slow", 1050);
		assertThat(log.getOut()).containsPattern("waited 1\\d{3} ms for GET /slow").doesNotContain("/quick");
	}

	private static void call(String path, long milliseconds) {
		RestClient.Builder builder = RestClient.builder();
		new SlowCalls().customize(builder);
		builder.requestInterceptor((request, body, execution) -> {
			sleep(milliseconds);
			return new MockClientHttpResponse(new byte[0], HttpStatus.OK);
		}).build().get().uri("http://127.0.0.1" + path).retrieve().toBodilessEntity();
	}

	private static void sleep(long milliseconds) {
		try {
			Thread.sleep(milliseconds);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
