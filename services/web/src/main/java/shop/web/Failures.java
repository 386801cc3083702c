package shop.web;

import jakarta.servlet.http.HttpServletRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.filter.ServerHttpObservationFilter;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** What a caller gets when something fails, as a problem detail; the log gets one ERROR with its stack trace. */
@RestControllerAdvice
class Failures extends ResponseEntityExceptionHandler {

	private static final Logger log = LoggerFactory.getLogger(Failures.class);

	@ExceptionHandler
	ResponseEntity<ProblemDetail> failed(Exception ex, HttpServletRequest request) {
		log.error("{} {} failed", request.getMethod(), request.getRequestURI(), ex);
		return answer(HttpStatus.INTERNAL_SERVER_ERROR, "the request failed", ex, request);
	}

	@Override
	protected ResponseEntity<Object> handleMethodArgumentNotValid(MethodArgumentNotValidException ex,
			HttpHeaders headers, HttpStatusCode status, WebRequest request) {
		ex.getBody()
			.setProperty("errors",
					ex.getFieldErrors()
						.stream()
						.map((error) -> error.getField() + " " + error.getDefaultMessage())
						.sorted()
						.toList());
		return handleExceptionInternal(ex, null, headers, status, request);
	}

	/** An exception that is handled is none to the metrics, unless they are told. */
	static ResponseEntity<ProblemDetail> answer(HttpStatus status, String detail, Exception ex,
			HttpServletRequest request) {
		ServerHttpObservationFilter.findObservationContext(request).ifPresent((context) -> context.setError(ex));
		return ResponseEntity.of(ProblemDetail.forStatusAndDetail(status, detail)).build();
	}

}
