package shop.web;

import jakarta.servlet.http.HttpServletRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.ResourceAccessException;

/**
 * What a caller gets of a service that asks others itself: what they refuse is passed on, and where they fail, answer
 * and log say that it was them. The log gets one ERROR for each such request, with its stack trace.
 */
@RestControllerAdvice
class CalleeFailures extends Failures {

	private static final Logger log = LoggerFactory.getLogger(CalleeFailures.class);

	/** The callee found fault with the request: its answer is passed on. */
	@ExceptionHandler
	ResponseEntity<ProblemDetail> refused(HttpClientErrorException ex) {
		ProblemDetail problem = ProblemDetail.forStatus(ex.getStatusCode());
		ProblemDetail said = ex.getResponseBodyAs(ProblemDetail.class);
		problem.setDetail((said != null) ? said.getDetail() : null);
		return ResponseEntity.of(problem).build();
	}

	@ExceptionHandler
	ResponseEntity<ProblemDetail> calleeFailed(HttpServerErrorException ex, HttpServletRequest request) {
		log.error("callee failed with {} during {} {}", ex.getStatusCode().value(), request.getMethod(),
				request.getRequestURI(), ex);
		return answer(HttpStatus.BAD_GATEWAY, "a service behind this one failed", ex, request);
	}

	@ExceptionHandler
	ResponseEntity<ProblemDetail> calleeAbsent(ResourceAccessException ex, HttpServletRequest request) {
		log.error("callee doesn't answer during {} {}", request.getMethod(), request.getRequestURI(), ex);
		return answer(HttpStatus.SERVICE_UNAVAILABLE, "a service behind this one doesn't answer", ex, request);
	}

}
