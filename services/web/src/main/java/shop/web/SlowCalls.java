package shop.web;

import java.io.IOException;
import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.restclient.RestClientCustomizer;
import org.springframework.http.HttpRequest;
import org.springframework.http.client.ClientHttpRequestExecution;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.web.client.RestClient;

/** Says who let this service wait: one line for each call of more than a second, whether it succeeded or not. */
class SlowCalls implements RestClientCustomizer {

	private static final Logger log = LoggerFactory.getLogger(SlowCalls.class);

	private static final Duration SLOW = Duration.ofSeconds(1);

	@Override
	public void customize(RestClient.Builder builder) {
		builder.requestInterceptor(SlowCalls::timed);
	}

	private static ClientHttpResponse timed(HttpRequest request, byte[] body, ClientHttpRequestExecution call)
			throws IOException {
		long began = System.nanoTime();
		try {
			return call.execute(request, body);
		}
		finally {
			Duration waited = Duration.ofNanos(System.nanoTime() - began);
			if (waited.compareTo(SLOW) > 0) {
				log.warn("waited {} ms for {} {}", waited.toMillis(), request.getMethod(), request.getURI().getPath());
			}
		}
	}

}
